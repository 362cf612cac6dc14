// SPDX-License-Identifier: Apache-2.0
// The lines of a shell that run something again as it ran.
#pragma once

#include "choose/command_line.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace bridge::harness {

/// A test by itself; of its sweep only the run of the tape, unless that is empty.
std::string line_of_test(const command_line& options, std::string_view id, std::uint64_t seed,
                         const tape& choices);

/// All tests of the run in the same order.
std::string line_of_run(const command_line& options, std::uint64_t seed);

/// " --loops asyncio,uvloop"; empty if it was not given.
std::string loops_option(const command_line& options);

} // namespace bridge::harness
