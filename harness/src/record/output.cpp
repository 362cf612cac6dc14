// SPDX-License-Identifier: Apache-2.0
#include "record/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <variant>

namespace bridge::harness {
namespace {

using protocol::outcome;

// Out of the way of a test that closes descriptors it does not know, and of the programs that a
// test starts: they would hold the runner's pipe. Negative if it is not open, or there is no room.
int duplicate_far_away(int descriptor) {
    for (int least : {1000, 200, 10})
        if (const int kept = ::fcntl(descriptor, F_DUPFD_CLOEXEC, least); kept >= 0)
            return kept;
    return -1;
}

// In its place is one that nobody reads.
int move_away(int descriptor) {
    const int moved = duplicate_far_away(descriptor);
    if (moved < 0)
        return descriptor;
    const int nobody = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(nobody, descriptor);
    ::close(nobody);
    return moved;
}

// A line of the protocol has 1 MiB at most, and a byte becomes up to six in it.
constexpr std::size_t longest_text = 128 * 1024;

void shorten(std::string& text) {
    if (text.size() <= longest_text)
        return;
    const auto dropped = text.size() - longest_text;
    text.resize(longest_text);
    text += "\n[... " + std::to_string(dropped) + " bytes dropped ...]";
}

protocol::event shortened(protocol::event what) {
    if (auto* failure = std::get_if<protocol::test_failure>(&what))
        shorten(failure->message);
    else if (auto* note = std::get_if<protocol::test_note>(&what))
        shorten(note->message);
    else if (auto* end = std::get_if<protocol::test_finished>(&what))
        shorten(end->message);
    return what;
}

class event_output final : public output {
public:
    explicit event_output(int descriptor) : descriptor_(move_away(descriptor)) {}

    void tell(const protocol::event& what) override {
        const auto line = protocol::write_event(shortened(what));
        write_all(descriptor_, line.data(), line.size());
    }

    bool tell_end(const std::string&) override {
        return true; // the runner counts by itself
    }

    last_words prepare(const std::vector<protocol::event>& events) const override {
        std::string text;
        for (const auto& one : events)
            text += protocol::write_event(one);
        return {descriptor_, text};
    }

private:
    int descriptor_;
};

std::string describe(const protocol::test_failure& failure) {
    std::string text;
    if (!failure.file.empty())
        text = failure.file + ":" + std::to_string(failure.line) + ": ";
    return "    " + text + failure.message + "\n";
}

std::string describe(const protocol::test_finished& end) {
    const auto& id = end.id;
    switch (end.result) {
    case outcome::skipped:
        return "skipped " + id + ": " + end.message + "\n";
    case outcome::passed: {
        char duration[32];
        std::snprintf(duration, sizeof duration, " (%.3f s)\n", end.duration_ms / 1000);
        return "ok " + id + duration;
    }
    default:
        return "FAILED " + id + "\n";
    }
}

// Of an event of a test.
const std::string& id_of(const protocol::event& what) {
    return std::visit([](const auto& one) -> const std::string& { return one.id; }, what);
}

// A test's failures are kept until its own line is written; several tests may run at once. A test
// may close the standard output, or have another one in its place, which is not where results go.
class human_output final : public output {
public:
    explicit human_output(std::function<std::string(const std::string& id)> again)
        : again_(std::move(again)), descriptor_(duplicate_far_away(STDOUT_FILENO)) {}

    ~human_output() override { ::close(descriptor_); }

    human_output(const human_output&) = delete;
    human_output& operator=(const human_output&) = delete;

    void tell(const protocol::event& what) override {
        const std::lock_guard lock(mutex_);
        auto& pending = pending_[id_of(what)];
        collect(what, pending);
        const auto* end = std::get_if<protocol::test_finished>(&what);
        if (end == nullptr)
            return;
        const auto text = describe(*end) + pending + how_to_repeat(*end);
        pending_.erase(end->id);
        write(text);
    }

    bool tell_end(const std::string& text) override {
        const std::lock_guard lock(mutex_);
        return write(text);
    }

    last_words prepare(const std::vector<protocol::event>& events) const override {
        std::string details;
        std::string line;
        for (const auto& one : events) {
            collect(one, details);
            const auto* end = std::get_if<protocol::test_finished>(&one);
            if (end != nullptr)
                line = describe(*end);
            if (end != nullptr)
                details += how_to_repeat(*end);
        }
        return {descriptor_, line + details};
    }

private:
    // After what the test has printed.
    bool write(const std::string& text) const {
        std::fflush(stdout);
        return write_all(descriptor_, text.data(), text.size());
    }

    static void collect(const protocol::event& what, std::string& into) {
        if (const auto* failure = std::get_if<protocol::test_failure>(&what))
            into += describe(*failure);
        else if (const auto* note = std::get_if<protocol::test_note>(&what))
            into += "    note: " + note->message + "\n";
        else if (const auto* crash = std::get_if<protocol::test_crashed>(&what))
            into += "CRASHED " + crash->id + ": " + crash->message + "\n";
    }

    std::string how_to_repeat(const protocol::test_finished& end) const {
        const bool is_bad = end.result != outcome::passed && end.result != outcome::skipped;
        return is_bad ? "    again: " + again_(end.id) + "\n" : std::string();
    }

    const std::function<std::string(const std::string& id)> again_;
    const int descriptor_;
    std::mutex mutex_;
    std::map<std::string, std::string> pending_;
};

} // namespace

std::unique_ptr<output> make_event_output(int descriptor) {
    return std::make_unique<event_output>(descriptor);
}

std::unique_ptr<output> make_human_output(std::function<std::string(const std::string& id)> again) {
    return std::make_unique<human_output>(std::move(again));
}

bool write_all(int descriptor, const char* data, std::size_t size) noexcept {
    while (size > 0) {
        const auto written = ::write(descriptor, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false; // nobody reads: the exit code says the rest
        data += written;
        size -= static_cast<std::size_t>(written);
    }
    return true;
}

void write_last_words(const output::last_words& words,
                      std::initializer_list<std::string_view> parts) noexcept {
    const std::string_view text = words.text;
    const auto write = [&words](std::string_view part) {
        write_all(words.descriptor, part.data(), part.size());
    };
    const auto gap = text.find(output::gap);
    if (gap == text.npos)
        return write(text);
    write(text.substr(0, gap));
    for (const auto part : parts)
        for (const char& c : part) {
            const auto byte = static_cast<unsigned char>(c);
            write(byte < 0x20 || c == '"' || c == '\\' ? "?" : std::string_view(&c, 1));
        }
    write(text.substr(gap + std::strlen(output::gap)));
}

} // namespace bridge::harness
