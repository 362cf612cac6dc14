// SPDX-License-Identifier: Apache-2.0
// What is said of native code that does not answer a request to stop.
#pragma once

#include <chrono>

namespace bridge {

/// How long a C++ coroutine that Python has cancelled, and still waits for, may go on before a
/// warning in asyncio's log names it and the place where it waits; once for each. Zero: never. 10 s
/// unless set. Holds for all loops, from the next request on.
/// GIL: not needed, on any thread.
void set_slow_cancel_duration(std::chrono::milliseconds duration) noexcept;

} // namespace bridge
