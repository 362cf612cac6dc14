// SPDX-License-Identifier: Apache-2.0
// What a report says of the threads: their C++ stacks with functions and lines, and in a few words
// where each is.
#pragma once

#include "run/stacks.hpp"

#include <string>
#include <string_view>

namespace bridge::harness {

/// Says on stderr the C++ stack of every other thread, and keeps their places; with `own`, that
/// comes first. One at a time: who comes second says that, and no more. Needs as long as addr2line
/// does, see explaining. Async-signal-safe.
void say_stacks(const stack_frames* own) noexcept;

/// Where the thread was when that was said: the innermost line of the user's own, of C++ or, by
/// what say_python_stacks() has kept, of Python, as "FILE:LINE in FUNCTION". Empty if nothing is
/// known. It lives until one is asked for again. Async-signal-safe.
std::string_view place_of_thread(int thread) noexcept;

/// The same of every thread but this one, each place once: "FILE:LINE in FUNCTION; ...". At most
/// three. It lives until it is asked for again. Async-signal-safe.
std::string_view places_of_others(int thread) noexcept;

/// The user's line among these return addresses, the innermost first; empty if there is none.
std::string find_users_line(void* const* addresses, int count);

} // namespace bridge::harness
