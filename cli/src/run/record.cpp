// SPDX-License-Identifier: Apache-2.0
// From the event pipe's bytes to failures, notes and the end.
#include "run/record.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace bridge::cli {

namespace {

constexpr std::size_t longest_line = 1024 * 1024;
constexpr std::size_t most_bytes = 1024 * 1024;
constexpr std::size_t most_items = 200;
constexpr std::size_t longest_last_words = 4096;

// The harness ends its report of a crash after 70 s, which is what a machine needs that is very
// busy; a test may hang, be asked where it is, and crash.
constexpr std::chrono::seconds longest_explanation{80};
constexpr std::chrono::seconds most_explained{200};

} // namespace

void record::append(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto part = bytes.substr(0, end);
        if (!is_skipping_line_)
            line_ += part;
        if (line_.size() > longest_line) {
            complain("a line of more than 1 MiB");
            line_.clear();
            is_skipping_line_ = true;
        }
        if (end == std::string_view::npos)
            return;
        if (!is_skipping_line_)
            take_line(line_);
        line_.clear();
        is_skipping_line_ = false;
        bytes.remove_prefix(end + 1);
    }
}

void record::take_line(std::string_view line) {
    try {
        if (const auto event = protocol::parse_event(line))
            take(*event);
    } catch (const protocol::protocol_error& error) {
        complain(error.what());
    }
}

void record::take(const protocol::event& event) {
    const auto id = std::visit([](const auto& one) { return one.id; }, event);
    if (id != id_)
        return complain("an event of another test, \"" + id + "\"");
    if (take_end(event))
        return;
    if (finished_)
        return complain("an event after the last one");
    if (const auto* one = std::get_if<protocol::test_failure>(&event)) {
        if (has_room_for(one->message))
            failures_.push_back(
                {std::string(to_string(one->kind)), one->message, one->file, one->line});
    } else if (const auto* note = std::get_if<protocol::test_note>(&event)) {
        if (has_room_for(note->message))
            notes_.push_back(note->message);
    } else if (const auto* last = std::get_if<protocol::test_finished>(&event)) {
        finished_ = *last;
    }
}

// What a process may say of its own end, after that of the test too.
bool record::take_end(const protocol::event& event) {
    if (const auto* one = std::get_if<protocol::test_explaining>(&event)) {
        take_explanation(one->is_over);
        return true;
    }
    const auto* crash = std::get_if<protocol::test_crashed>(&event);
    if (crash != nullptr)
        last_words_ = crash->message.substr(0, longest_last_words);
    return crash != nullptr;
}

void record::take_explanation(bool is_over) {
    const auto now = clock::now();
    if (is_over && explains_since_) {
        explained_ = explained();
        explains_since_.reset();
    } else if (!is_over && explained_ < most_explained) {
        explains_since_ = now;
    }
}

record::clock::duration record::explained() const {
    if (!explains_since_)
        return explained_;
    return explained_ +
           std::min<clock::duration>(clock::now() - *explains_since_, longest_explanation);
}

bool record::has_room_for(std::string_view text) {
    const bool has_room =
        kept_bytes_ + text.size() <= most_bytes && failures_.size() + notes_.size() < most_items;
    if (has_room)
        kept_bytes_ += text.size();
    else
        ++dropped_;
    return has_room;
}

void record::complain(const std::string& what) {
    if (complaint_.empty())
        complaint_ = "the event pipe carried " + what;
}

std::vector<failure> record::failures() const {
    auto all = failures_;
    if (!complaint_.empty())
        all.push_back({"protocol", complaint_, {}, 0});
    return all;
}

std::vector<std::string> record::notes() const {
    auto all = notes_;
    if (dropped_ > 0)
        all.push_back(std::to_string(dropped_) + " more failures and notes were dropped");
    return all;
}

} // namespace bridge::cli
