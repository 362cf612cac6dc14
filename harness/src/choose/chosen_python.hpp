// SPDX-License-Identifier: Apache-2.0
// The python that was asked for, whose modules the tests are to have.
#pragma once

#include <string>

namespace bridge::harness {

/// The python of BRIDGE_TEST_PYTHON, which names it, or the folder of an environment or of an
/// installation that has it as bin/python3; empty if the variable is not set. Throws usage_error if
/// that one, or without it the environment of VIRTUAL_ENV, is not there or not of the version that
/// this program embeds.
std::string chosen_python();

} // namespace bridge::harness
