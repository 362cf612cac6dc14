// SPDX-License-Identifier: Apache-2.0
// Running the selected tests, one after the other.
#pragma once

#include "command_line.hpp"
#include "registry.hpp"

#include <vector>

namespace bridge::harness {

inline constexpr int failed_exit = 1;
inline constexpr int interrupted_exit = 2;
inline constexpr int internal_exit = 3;
inline constexpr int usage_exit = 4;
inline constexpr int no_tests_exit = 5;
inline constexpr int skipped_exit = 77;

/// Runs them and returns the program's exit code. Throws usage_error, and std::exception where
/// Python cannot start.
int run_tests(const std::vector<registered_test>& tests, const command_line& options);

} // namespace bridge::harness
