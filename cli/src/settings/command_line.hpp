// SPDX-License-Identifier: Apache-2.0
// From the words of the command line to options.
#pragma once

#include "settings/options.hpp"

namespace bridge::cli {

/// Reads the command line, the environment and the configuration file; throws expected_error
/// (usage) with the text to print.
options parse_command_line(int argc, const char* const* argv);

} // namespace bridge::cli
