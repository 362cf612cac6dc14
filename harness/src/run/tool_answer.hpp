// SPDX-License-Identifier: Apache-2.0
// What another program answers, asked while the process is about to end.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace bridge::harness {

/// It has so much of the processor's time, which a busy machine does not take from it.
inline constexpr std::chrono::seconds longest_work{10};

/// So long are all its answers waited for that are asked for at once, if it does not work.
inline constexpr std::chrono::seconds longest_wait{40};

struct tool_answer {
    std::string_view text; ///< whole lines
    bool is_in_time;       ///< else the limits have ended it
};

/// What it writes to its standard output, in `room` bytes at `into`. The words are its path and its
/// arguments, then null. It has the rest of longest_wait that is left after `waited`.
/// Async-signal-safe.
tool_answer ask_tool(char** words, char* into, std::size_t room,
                     std::chrono::seconds waited) noexcept;

} // namespace bridge::harness
