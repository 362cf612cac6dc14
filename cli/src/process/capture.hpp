// SPDX-License-Identifier: Apache-2.0
// The output of one process, bounded: its beginning and its end, and how much was between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bridge::cli {

/// Keeps the first `head` and the last `tail` bytes of what is appended.
class capture {
public:
    capture() : capture(64 * 1024, 192 * 1024) {}

    capture(std::size_t head, std::size_t tail) : head_limit_(head), tail_limit_(tail) {}

    void append(std::string_view bytes);

    bool is_empty() const noexcept { return head_.empty(); }

    std::uint64_t dropped() const noexcept { return dropped_; }

    /// All that was kept, with a line that says how many bytes are missing if they are.
    std::string text() const;

private:
    std::size_t head_limit_;
    std::size_t tail_limit_;
    std::string head_;
    std::string tail_; ///< may grow to twice its limit before it is cut
    std::uint64_t dropped_ = 0;
};

} // namespace bridge::cli
