// SPDX-License-Identifier: Apache-2.0
// What a test binary and the runner answer to their caller: the numbers that both use.
#pragma once

namespace bridge::protocol {

inline constexpr int passed_exit = 0;
inline constexpr int failed_exit = 1;
inline constexpr int interrupted_exit = 2;
inline constexpr int internal_exit = 3;
inline constexpr int usage_exit = 4;
inline constexpr int no_tests_exit = 5;

/// A test binary whose tests were all skipped; CTest, Meson and Automake know the number.
inline constexpr int skipped_exit = 77;

/// A test binary that ended itself because a test did not; as timeout(1) has it.
inline constexpr int timed_out_exit = 124;

} // namespace bridge::protocol
