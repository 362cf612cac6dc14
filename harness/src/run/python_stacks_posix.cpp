// SPDX-License-Identifier: Apache-2.0
// faulthandler writes to a descriptor that was given to it long before. That is stderr's, but for
// the moment in which a file in memory has its number: from that it is read again.
#include "run/python_stacks.hpp"

#include "run/stacks.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstddef>

namespace bridge::harness {
namespace {

constinit std::atomic<python_dump> faulthandlers_dump{nullptr};
constinit std::atomic<bool> is_dumping{false};
constinit std::array<char, 64 * 1024> dumped{};
constinit std::atomic<std::size_t> dumped_size{0};

// Out of the way of a test that closes descriptors it does not know.
int make_descriptor() {
    for (const int least : {1000, 200, 10})
        if (const int made = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, least); made >= 0)
            return made;
    return STDERR_FILENO;
}

int make_file() noexcept {
#ifdef __linux__
    return ::memfd_create("stacks", MFD_CLOEXEC);
#else
    return -1;
#endif
}

std::string_view next_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    return line;
}

// "Thread 0x00007f... [name] (most recent call first):", or "Current thread 0x...".
bool is_head_of(std::string_view line, std::uintptr_t pthread) {
    constexpr std::string_view current = "Current thread 0x";
    constexpr std::string_view other = "Thread 0x";
    if (pthread == 0)
        return line.starts_with(current);
    const auto head = line.starts_with(current) ? current : other;
    if (!line.starts_with(head))
        return false;
    std::uintptr_t number = 0;
    std::from_chars(line.data() + head.size(), line.data() + line.size(), number, 16);
    return number == pthread;
}

bool is_users_file(std::string_view file) {
    const auto has = [file](std::string_view part) { return file.find(part) != file.npos; };
    const bool is_installed = has("site-packages/") || has("dist-packages/");
    return !file.starts_with("<frozen ") && !file.starts_with("harness/src/") &&
           !has("/bridge_asyncio/") && (is_installed || !has("/lib/python3"));
}

struct text_buffer {
    std::array<char, 1024> text;
    std::size_t size = 0;

    void add(std::string_view part) { size += part.copy(text.data() + size, text.size() - size); }
};

// Of '  File "FILE", line LINE in FUNCTION'; empty if it is another line, or not the user's.
std::string_view read_frame(std::string_view line) {
    static constinit text_buffer said{};
    constexpr std::string_view head = "  File \"";
    constexpr std::string_view between = "\", line ";
    if (!line.starts_with(head))
        return {};
    line.remove_prefix(head.size());
    const auto end = line.rfind(between);
    if (end == line.npos || !is_users_file(line.substr(0, end)))
        return {};
    said.size = 0;
    said.add(line.substr(0, end));
    said.add(":");
    said.add(line.substr(end + between.size()));
    return {said.text.data(), said.size};
}

std::size_t read_back(int file) noexcept {
    std::size_t size = 0;
    while (size < dumped.size()) {
        const auto more =
            ::pread(file, dumped.data() + size, dumped.size() - size, static_cast<off_t>(size));
        if (more <= 0)
            break;
        size += static_cast<std::size_t>(more);
    }
    return size;
}

// Whether it is kept; else it is on stderr.
bool take_dump(int signal) noexcept {
    const auto write = faulthandlers_dump.load();
    if (write == nullptr)
        return false;
    if (is_dumping.exchange(true)) {
        write(signal);
        return false;
    }
    const int number = python_stacks_descriptor();
    const int file = make_file();
    const bool is_kept =
        file >= 0 && number != STDERR_FILENO && ::dup3(file, number, O_CLOEXEC) >= 0;
    write(signal);
    if (is_kept) {
        dumped_size = read_back(file);
        ::dup3(STDERR_FILENO, number, O_CLOEXEC);
    }
    if (file >= 0)
        ::close(file);
    is_dumping = false;
    return is_kept;
}

} // namespace

int python_stacks_descriptor() {
    static const int made = make_descriptor();
    return made;
}

void set_python_dump(python_dump of) noexcept {
    faulthandlers_dump = of;
}

void say_python_stacks(int signal) noexcept {
    if (take_dump(signal))
        say({dumped.data(), dumped_size});
}

void take_python_stacks(int signal) noexcept {
    take_dump(signal);
}

std::string_view python_place_of(std::uintptr_t pthread) noexcept {
    std::string_view left(dumped.data(), dumped_size);
    bool is_there = false;
    while (!left.empty()) {
        const auto line = next_line(left);
        if (!line.starts_with(' '))
            is_there = is_head_of(line, pthread);
        else if (is_there)
            if (const auto place = read_frame(line); !place.empty())
                return place;
    }
    return {};
}

} // namespace bridge::harness
