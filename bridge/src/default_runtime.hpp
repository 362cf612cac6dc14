// SPDX-License-Identifier: Apache-2.0
// Where the default runtime of a process lives.
#pragma once

#include <bridge/runtime.hpp>

#include <atomic>
#include <mutex>
#include <vector>

namespace bridge::detail {

/// Raw pointers, so that no destructor runs at the end of the process: threads left behind may use
/// what is here.
struct default_runtime_home {
    std::mutex mutex;
    runtime_options options;
    std::atomic<runtime*> running = nullptr; ///< written under the mutex
    /// Those that were shut down, to which somebody may still refer; never destroyed.
    std::vector<runtime*>* others = nullptr;

    void retire(runtime* ended);
};

/// This module's own; the one in use is shared().default_runtime.
extern default_runtime_home own_default_runtime;

/// Gives this module's default runtime, if it runs, to the module whose state is joined.
void hand_over_default_runtime(default_runtime_home& to);

/// Ends the default runtime at interpreter exit, within its exit_deadline.
void end_default_runtime() noexcept;

} // namespace bridge::detail
