// SPDX-License-Identifier: Apache-2.0
// Running the selected tests, one after the other.
#pragma once

#include "choose/command_line.hpp"
#include "choose/registry.hpp"
#include "run/python_side.hpp"
#include "run/watchdog.hpp"

#include <optional>
#include <vector>

namespace bridge::harness {

/// Runs them and returns the program's exit code. Throws usage_error, and std::exception if
/// Python cannot start.
int run_tests(const std::vector<registered_test>& tests, const command_line& options);

/// The same in a Python that runs already.
int run_in(python_side& python, const std::vector<registered_test>& tests,
           const command_line& options);

/// From here on the process has to end, within 10 s and with this code.
class exit_guard {
public:
    explicit exit_guard(int code);

private:
    std::optional<watchdog> watchdog_;
};

} // namespace bridge::harness
