// SPDX-License-Identifier: Apache-2.0
#include "python/thread_states.hpp"

namespace bridge::detail {

std::mutex& thread_states_mutex() noexcept {
    static auto& mutex = *new std::mutex;
    return mutex;
}

} // namespace bridge::detail
