// SPDX-License-Identifier: Apache-2.0
// Thread states and fork().
#pragma once

#include <mutex>

namespace bridge::detail {

/// Held while a thread without the GIL makes its state: a fork waits for that. CPython's lock of
/// the list of states would stay locked in the child, where Python before 3.12 takes it before it
/// makes it anew.
std::mutex& thread_states_mutex() noexcept;

} // namespace bridge::detail
