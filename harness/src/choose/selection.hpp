// SPDX-License-Identifier: Apache-2.0
// Which tests to run.
#pragma once

#include "choose/command_line.hpp"
#include "choose/registry.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bridge::harness {

/// The test of this id. Throws usage_error.
registered_test require_test(const std::vector<registered_test>& tests, std::string_view id);

/// The tests whose id contains any filter, or the exact one. Throws usage_error if there is no
/// test of an exact id.
std::vector<registered_test> select_tests(std::vector<registered_test> all,
                                          const command_line& options);

/// Their order with that seed, on any machine.
void shuffle_tests(std::vector<registered_test>& tests, std::uint64_t seed);

/// What `--list` prints.
std::string list_tests(std::vector<registered_test> tests, const command_line& options,
                       const char* program);

} // namespace bridge::harness
