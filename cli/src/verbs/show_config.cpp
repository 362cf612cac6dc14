// SPDX-License-Identifier: Apache-2.0
// bridge-test show-config.
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/duration.hpp>

#include "output/style.hpp"
#include "settings/settings.hpp"
#include "verbs/commands.hpp"

namespace bridge::cli {

namespace {

std::string line_of(const setting& what, const options& settings) {
    const auto value = what.show(settings);
    const auto found = settings.sources.find(what.name);
    return fmt::format("{:<14} {:<24} {}\n", what.name, value.empty() ? "-" : value,
                       found == settings.sources.end() ? "built in" : found->second.place);
}

std::string line_of(const override_rule& rule) {
    std::vector<std::string> says;
    if (rule.timeout)
        says.push_back("timeout " + protocol::format_duration(*rule.timeout));
    if (rule.retries)
        says.push_back(fmt::format("retries {}", *rule.retries));
    if (rule.is_serial)
        says.push_back(fmt::format("serial {}", *rule.is_serial));
    if (rule.group)
        says.push_back(fmt::format("serial '{}'", *rule.group));
    if (rule.slots)
        says.push_back(fmt::format("threads-required {}", *rule.slots));
    return fmt::format("{}: {}: {}\n", rule.place, rule.filter_text,
                       says.empty() ? "nothing" : fmt::format("{}", fmt::join(says, ", ")));
}

std::string to_text(const options& settings) {
    auto text =
        fmt::format("file: {}\nprofile: {}\n\n",
                    settings.config_file.empty() ? "none" : settings.config_file, settings.profile);
    for (const auto& one : all_settings())
        text += line_of(one, settings);
    if (!settings.overrides.empty())
        text += "\noverrides, the first that fits a test counts:\n";
    for (const auto& one : settings.overrides)
        text += line_of(one);
    return text;
}

} // namespace

exit_code show_config(const options& settings) {
    const auto text = printable(to_text(settings), false);
    const bool is_written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return is_written ? exit_code::passed : exit_code::report_not_written;
}

} // namespace bridge::cli
