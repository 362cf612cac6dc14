// SPDX-License-Identifier: Apache-2.0
// Every option once: its name, what its text means, and how it is shown. The command line, the
// environment and the configuration file all read this list.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "settings/options.hpp"

namespace bridge::cli {

/// A value that the option does not take; the text says what it would.
class bad_value : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

enum class setting_group { selection, running, reports, output };

struct setting {
    std::string name;  ///< "max-fail": the key in a file, and after `--`
    std::string flags; ///< as on the command line: "-j,--jobs"
    setting_group group;
    std::string value; ///< "N", "TIME"; empty: it is on or off, its text "true" or "false"
    std::string help;
    bool is_list;                   ///< may be given several times
    std::vector<std::string> words; ///< all that a value may be, if it is one of few

    /// Sets the option, or adds to it. Throws bad_value.
    std::function<void(options&, const std::string&)> apply;

    std::function<std::string(const options&)> show;

    bool is_switch() const noexcept { return value.empty(); }

    /// "BRIDGE_TEST_MAX_FAIL".
    std::string variable() const;
};

const std::vector<setting>& all_settings();

/// "true" or "false", and other words for them. Throws bad_value.
bool to_switch(const std::string& text);

/// The setting of this name, or null.
const setting* find_setting(std::string_view name);

std::vector<std::string> setting_names();

} // namespace bridge::cli
