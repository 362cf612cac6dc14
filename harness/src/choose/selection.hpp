// SPDX-License-Identifier: Apache-2.0
// Which tests to run.
#pragma once

#include "choose/command_line.hpp"
#include "choose/registry.hpp"

#include <string>
#include <vector>

namespace bridge::harness {

/// The tests whose id contains any filter, or the exact one. Throws usage_error if there is no
/// test of an exact id.
std::vector<registered_test> select_tests(std::vector<registered_test> all,
                                          const command_line& options);

/// What `--list` prints.
std::string list_tests(std::vector<registered_test> tests, const command_line& options,
                       const char* program);

} // namespace bridge::harness
