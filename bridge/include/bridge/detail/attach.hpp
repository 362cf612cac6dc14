// SPDX-License-Identifier: Apache-2.0
// A module's beginning in an interpreter.
#pragma once

namespace bridge::detail {

/// Joins what the modules of this process share, opens the gate and installs the exit hook, once
/// per interpreter life. Requires the GIL. Throws interpreter_gone if that life is over, and what
/// Python throws.
void attach_interpreter();

/// Lets asyncio work if another interpreter used it earlier in this process. Requires the GIL.
/// Throws std::runtime_error if it is too late.
void leave_stale_asyncio();

/// Refuses a sub-interpreter in words: throws std::runtime_error. Requires the GIL.
void require_main_interpreter();

} // namespace bridge::detail
