// SPDX-License-Identifier: Apache-2.0
// The time of a same-thread loop whose clock a test moves.
#pragma once

#include <chrono>

#include <time.h>

namespace bridge::detail {

/// steady_clock as the system has it: a test program may have std::chrono::steady_clock::now()
/// answer with virtual_now.
struct real_clock {
    using duration = std::chrono::steady_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::steady_clock::time_point;

    static constexpr bool is_steady = true;

    static time_point now() noexcept {
        timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC, &time);
        return time_point(std::chrono::seconds(time.tv_sec) +
                          std::chrono::nanoseconds(time.tv_nsec));
    }
};

/// What time it is for handlers of the loop that runs on this thread; null: what it really is.
inline constinit thread_local const std::chrono::steady_clock::time_point* virtual_now = nullptr;

} // namespace bridge::detail
