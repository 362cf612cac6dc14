// SPDX-License-Identifier: Apache-2.0
// bridge-test.toml: profiles of options, and rules for some of the tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "settings/override_rule.hpp"

namespace bridge::cli {

/// An option that a file sets: texts as the command line would give them.
struct configured {
    std::string name;
    std::vector<std::string> texts;
    std::string place;
};

struct profile {
    std::string name;
    std::vector<configured> settings;
    std::vector<override_rule> overrides;
};

struct configuration {
    std::string path; ///< empty: there is no file
    std::vector<profile> profiles;

    /// The profile of this name, or null.
    const profile* find(std::string_view name) const;

    /// Those that can be asked for: default and ci are there without being written.
    std::vector<std::string> profile_names() const;
};

inline constexpr std::string_view config_name = "bridge-test.toml";

/// The nearest bridge-test.toml in the current folder or above it; empty when there is none.
std::string find_config_file();

/// Throws expected_error (usage) that begins with the file and the line of what is wrong.
configuration read_configuration(const std::string& path);
configuration parse_configuration(std::string_view text, const std::string& shown_path);

} // namespace bridge::cli
