// SPDX-License-Identifier: Apache-2.0
// Who is told of the operations that coroutines wait for: a test harness.
#pragma once

#include <bridge/detail/frame.hpp>

#include <cstddef>

namespace bridge::detail {

class strand;

/// Both are called by any thread, without the GIL. Without a lock or an order of memory, if they
/// are not to hide the races of what is tested.
struct wait_watcher {
    /// In a handler of the strand, right before the operation begins. The coroutines that wait for
    /// it, the innermost first. What it gives is what end() gets; null: end() is not called.
    void* (*begin)(strand& on, const code_place* chain, std::size_t length) noexcept;

    /// The operation has ended, or the frame that awaits it.
    void (*end)(void* wait) noexcept;
};

/// From now on, of all modules of this process; null: nobody is told.
void watch_waits(const wait_watcher* watcher) noexcept;

} // namespace bridge::detail
