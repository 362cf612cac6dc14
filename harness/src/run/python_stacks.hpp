// SPDX-License-Identifier: Apache-2.0
// Where the Python threads are, without the GIL: as faulthandler writes it.
#pragma once

#include <cstdint>
#include <string_view>

namespace bridge::harness {

/// The descriptor that faulthandler is to write to; made when it is first asked for.
int python_stacks_descriptor();

using python_dump = void (*)(int);

/// What faulthandler has registered for SIGQUIT.
void set_python_dump(python_dump dump) noexcept;

/// Has it written to stderr, and kept. Async-signal-safe.
void say_python_stacks(int signal) noexcept;

/// Keeps it, and says nothing.
void take_python_stacks(int signal) noexcept;

/// The innermost line of the user's own in that thread, as "FILE:LINE in FUNCTION", by what was
/// kept; nothing if there is none. It lives until the next one is asked for. Zero means the thread
/// that has had it written. Async-signal-safe.
std::string_view python_place_of(std::uintptr_t pthread) noexcept;

} // namespace bridge::harness
