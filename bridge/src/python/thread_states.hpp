// SPDX-License-Identifier: Apache-2.0
// Thread states and fork().
#pragma once

#include <bridge/detail/python.hpp>

#include <mutex>

namespace bridge::detail {

/// Whether a fork leaves CPython's lock of its list of thread states alone, and we must see to it:
/// before 3.12 the child takes it as another thread has left it. Since then it is made anew first;
/// a fork of 3.13 holds it, so that whoever waits for it there must not be waited for.
inline constexpr bool forks_need_thread_states = PY_VERSION_HEX < 0x030C0000;

/// Held while a thread without the GIL makes its state, so that a fork waits for that. Never
/// destroyed.
std::mutex& thread_states_mutex() noexcept;

/// Locked if a fork has to wait for its holder.
inline std::unique_lock<std::mutex> lock_thread_states() {
    return forks_need_thread_states ? std::unique_lock(thread_states_mutex())
                                    : std::unique_lock<std::mutex>();
}

} // namespace bridge::detail
