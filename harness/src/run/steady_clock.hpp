// SPDX-License-Identifier: Apache-2.0
// std::chrono::steady_clock as the code under test sees it.
#pragma once

namespace bridge::harness {

/// What makes the linker ask this library for the time.
inline constexpr const char* clock_link_option = "-Wl,--wrap=_ZNSt6chrono3_V212steady_clock3nowEv";

/// Whether std::chrono::steady_clock says so many nanoseconds: without that option it knows nothing
/// of virtual time.
bool steady_clock_says(long long nanoseconds);

} // namespace bridge::harness
