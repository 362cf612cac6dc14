// SPDX-License-Identifier: Apache-2.0
// Texts that tell what the options cannot: one for each thing that a user looks up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bridge::cli {

struct help_topic {
    std::string_view name;
    std::string_view title; ///< one line, for the list of topics
    std::string_view text;
};

const std::vector<help_topic>& help_topics();

/// The topic of this name, or null.
const help_topic* find_topic(std::string_view name);

/// All topics with their titles, a line each.
std::string list_topics();

} // namespace bridge::cli
