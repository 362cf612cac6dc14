// SPDX-License-Identifier: Apache-2.0
// The end of the interpreter, and what would begin or go on when it is near.
#pragma once

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/shared.hpp>

namespace bridge::detail {

/// Whether this interpreter's exit hook runs or has run. Requires the GIL.
bool is_interpreter_ending();

/// What ends this interpreter passes there first. Requires the GIL. Throws what Python throws.
void register_exit_hook();

/// Lets go of the GIL and never comes back.
[[noreturn]] void stay_for_ever() noexcept;

/// For what would begin once the exit hook runs: throws interpreter_gone on the thread that ends
/// the interpreter; any other stays here for ever. Requires the GIL.
void refuse_at_exit();

/// If the exit hook has begun, any thread but the one that ends the interpreter stays here for
/// ever: whatever it was about to look at has been settled behind its back. Requires the GIL.
inline void stay_at_exit() noexcept {
    if (const auto* ends = shared().exit_thread.load(std::memory_order_relaxed);
        ends != nullptr && ends != &this_thread())
        stay_for_ever();
}

} // namespace bridge::detail
