// SPDX-License-Identifier: Apache-2.0
// The command line as values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "shard.hpp"

namespace bridge::cli {

enum class verb { run, list, show_text };
enum class color_mode { automatic, always, never };
enum class list_format { human, json };

struct options {
    verb what = verb::run;
    std::string text;    ///< of `help` and `--version`
    std::string program; ///< as it was called, for the lines that reproduce a failure

    std::vector<std::string> paths;
    std::vector<std::string> filters;
    std::vector<std::string> exact;
    std::vector<std::string> skip;
    std::vector<std::string> tags;
    std::vector<std::string> expressions;
    bool only_failed = false;

    unsigned jobs = 1;
    unsigned max_fail = 0; ///< 0: no limit
    std::optional<shard> part;
    std::optional<unsigned> retries; ///< in place of each test's own
    std::optional<unsigned> repeat;
    bool is_until_fail = false;
    std::chrono::milliseconds slow{5000};
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<std::chrono::milliseconds> run_timeout;
    std::chrono::milliseconds grace{2000};
    std::chrono::milliseconds list_timeout{60'000};

    bool is_capturing = true;
    int verbosity = 0; ///< -1 quiet, 1 verbose
    color_mode color = color_mode::automatic;
    std::string junit;
    std::string state; ///< empty: beside the manifest, or in the current folder
    list_format format = list_format::human;
};

/// Reads the command line; throws expected_error (usage) with the text to print.
options parse_options(int argc, const char* const* argv);

} // namespace bridge::cli
