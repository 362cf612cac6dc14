// SPDX-License-Identifier: Apache-2.0
// Collects what one test process says over its event pipe, within bounds.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <bridge/protocol/event.hpp>

#include "base/test_case.hpp"

namespace bridge::cli {

class record {
public:
    using clock = std::chrono::steady_clock;

    explicit record(std::string id) : id_(std::move(id)) {}

    /// Bytes of the pipe, in any portions.
    void append(std::string_view bytes);

    const std::optional<protocol::test_finished>& finished() const noexcept { return finished_; }

    /// What the process said of its own end; empty: nothing.
    const std::string& last_words() const noexcept { return last_words_; }

    bool is_explaining() const noexcept { return explains_since_.has_value(); }

    /// For how long the process has looked where everything is, by now: that is not the test's
    /// time.
    clock::duration explained() const;

    /// Failures told by the test, then how many did not fit, then that it
    /// sent what is not an event.
    std::vector<failure> failures() const;

    std::vector<std::string> notes() const;

private:
    void take_line(std::string_view line);
    void take(const protocol::event& event);
    bool take_end(const protocol::event& event);
    void take_explanation(bool is_over);
    bool has_room_for(std::string_view text);
    void complain(const std::string& what);

    std::string id_;
    std::string line_;
    bool is_skipping_line_ = false;
    std::size_t kept_bytes_ = 0;
    std::size_t dropped_ = 0;
    std::optional<protocol::test_finished> finished_;
    std::vector<failure> failures_;
    std::vector<std::string> notes_;
    std::string complaint_;
    std::string last_words_;
    std::optional<clock::time_point> explains_since_;
    clock::duration explained_{}; ///< before that
};

} // namespace bridge::cli
