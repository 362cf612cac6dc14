// SPDX-License-Identifier: Apache-2.0
// Which of several places an option's value is taken from.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "settings/config.hpp"
#include "settings/options.hpp"

namespace bridge::cli {

/// What the command line gave, by the option's name; a switch that was given has "true".
using given_options = std::map<std::string, std::vector<std::string>>;

/// Sets every option from the highest place that names it: command line, BRIDGE_TEST_..., the
/// profile of the file, its default profile. Throws expected_error (usage).
void apply_layers(options& to, const given_options& given);

} // namespace bridge::cli
