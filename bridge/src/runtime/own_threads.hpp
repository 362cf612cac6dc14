// SPDX-License-Identifier: Apache-2.0
// Runtimes with threads of their own.
#pragma once

#include <bridge/detail/runtime_scheduler.hpp>

namespace bridge::detail {

/// An io_context and the threads that run it. `start_there`: the first step of a crossing runs on
/// them too. Throws std::system_error if a thread cannot be made.
intrusive_ptr<runtime_scheduler> make_own_threads(int threads, bool start_there);

} // namespace bridge::detail
