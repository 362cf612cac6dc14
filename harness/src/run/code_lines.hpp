// SPDX-License-Identifier: Apache-2.0
// Function, file and line of addresses, found while the process is about to end.
#pragma once

#include <string_view>

namespace bridge::harness {

/// Finds the program and addr2line, once. Not async-signal-safe.
void prepare_code_lines();

/// Says on stderr what debug information knows of each frame of a stack, innermost first: the first
/// is where the thread is, the others are return addresses. Nothing if addr2line is not there or
/// does not answer in time. The first frame that is neither of the harness nor of a library, as
/// "FILE:LINE in FUNCTION", or nothing. One thread at a time. Async-signal-safe.
std::string_view say_code_lines(void* const* frames, int size) noexcept;

/// The same without a word on stderr.
std::string_view find_users_line(void* const* frames, int size) noexcept;

} // namespace bridge::harness
