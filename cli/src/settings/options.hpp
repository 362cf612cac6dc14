// SPDX-License-Identifier: Apache-2.0
// What the user wants, from the command line, the environment and the configuration file.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "filter/shard.hpp"
#include "settings/override_rule.hpp"

namespace bridge::cli {

enum class verb { run, list, merge, show_config, show_text };
/// What tests share: nothing, a warm Python that each is a fork of, a process, or all of them one
/// that is in our place.
enum class isolation_mode { process, fork, batch, none };
enum class color_mode { automatic, always, never };
enum class github_mode { automatic, always, never };
enum class list_format { human, json };

/// Where an option's value comes from; a later one outranks those before it.
enum class layer { built_in, file, environment, command_line };

struct setting_source {
    layer from = layer::built_in;
    std::string place; ///< "bridge-test.toml:4 [profile.ci]", "BRIDGE_TEST_JOBS", "--jobs"
};

struct options {
    verb what = verb::run;
    std::string text;    ///< of `help`, `completions` and `--version`
    std::string program; ///< as it was called, for the lines that reproduce a failure

    std::vector<std::string> paths;
    std::vector<std::string> filters;
    std::vector<std::string> exact;
    std::vector<std::string> skip;
    std::vector<std::string> tags;
    std::vector<std::string> expressions;
    bool only_failed = false;
    std::optional<shard> part;
    std::string state; ///< empty: beside the manifest, or in the cache

    isolation_mode isolation = isolation_mode::process;
    unsigned jobs = 1;
    unsigned max_fail = 0;           ///< 0: no limit
    std::optional<unsigned> retries; ///< in place of each test's own
    std::optional<unsigned> repeat;
    bool is_until_fail = false;
    std::chrono::milliseconds slow{5000};
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<std::chrono::milliseconds> run_timeout;
    std::chrono::milliseconds grace{2000};
    std::chrono::milliseconds list_timeout{60'000};

    std::string python; ///< a virtual environment's folder, or a program; empty: not chosen
    std::string loops;  ///< names with commas; empty: not chosen
    bool requires_loops = false; ///< one that is not installed is a failure
    std::string ignored_leaks;   ///< patterns with commas
    std::string seed;            ///< a number; empty: a new one for each test
    bool is_capturing = true;
    int verbosity = 0; ///< -1 quiet, 1 verbose
    color_mode color = color_mode::automatic;
    std::string junit;
    std::string further_junit; ///< beside the one of the command line
    std::string report_log;
    github_mode github = github_mode::automatic;
    unsigned slowest = 0; ///< how many to show at the end
    list_format format = list_format::human;

    std::string config_file;      ///< empty: there is none
    bool is_config_named = false; ///< not found by itself, here or above
    std::string profile = "default";
    std::vector<override_rule> overrides;          ///< of two that fit a test the first counts
    std::map<std::string, setting_source> sources; ///< by name, of what is not built in

    layer source_of(const std::string& name) const {
        const auto found = sources.find(name);
        return found == sources.end() ? layer::built_in : found->second.from;
    }
};

} // namespace bridge::cli
