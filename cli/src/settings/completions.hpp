// SPDX-License-Identifier: Apache-2.0
// Scripts by which shells complete what is typed after `bridge-test`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bridge::cli {

/// What a first word may be, with what it does.
struct verb_word {
    std::string_view name;
    std::string_view help;
};

const std::vector<verb_word>& verb_words();

/// bash, zsh and fish.
const std::vector<std::string>& shell_names();

/// The script for one of them, made of all settings.
std::string completion_script(const std::string& shell);

} // namespace bridge::cli
