// SPDX-License-Identifier: Apache-2.0
// The linker lets this program's calls of std::chrono::steady_clock::now() come here, by --wrap.
#include "run/steady_clock.hpp"

#include <bridge/detail/virtual_time.hpp>

#include <chrono>

namespace bridge::harness {

using time_point = std::chrono::steady_clock::time_point;

// By the name that the linker gives to calls of now().
[[gnu::used]] time_point now_here() noexcept __asm__("__wrap__ZNSt6chrono3_V212steady_clock3nowEv");

time_point now_here() noexcept {
    const auto* const time = bridge::detail::virtual_now;
    return time != nullptr ? *time : bridge::detail::real_clock::now();
}

bool steady_clock_says(long long nanoseconds) {
    return std::chrono::steady_clock::now() == time_point(std::chrono::nanoseconds(nanoseconds));
}

} // namespace bridge::harness
