// SPDX-License-Identifier: Apache-2.0
#include "settings/other_words.hpp"

#include <fmt/format.h>

namespace bridge::cli {

namespace {

struct other_word {
    std::string_view theirs;
    std::string_view ours;   ///< an option or a command; or
    std::string_view advice; ///< what there is instead
};

constexpr std::string_view filters =
    "every word is a filter: bridge-test WORD; -E takes an expression";

constexpr other_word known_words[] = {
    {"--capture", "--no-capture", {}},
    {"--co", "bridge-test list", {}},
    {"--collect-only", "bridge-test list", {}},
    {"--durations", "--slowest", {}},
    {"--exitfirst", "--max-fail 1", {}},
    {"--fail-fast", "--max-fail 1", {}},
    {"--failed-first", {}, "--failed runs those that failed, and no others"},
    {"--ff", {}, "--failed runs those that failed, and no others"},
    {"--gtest_filter", {}, filters},
    {"--gtest_list_tests", "bridge-test list", {}},
    {"--gtest_output", "--junit", {}},
    {"--gtest_repeat", "--repeat", {}},
    {"--junit-xml", "--junit", {}},
    {"--junitxml", "--junit", {}},
    {"--keyword", {}, filters},
    {"--last-failed-no-failures", "--last-failed", {}},
    {"--lf", "--last-failed", {}},
    {"--list", "bridge-test list", {}},
    {"--list-tests", "bridge-test list", {}},
    {"--no-fail-fast", {}, "all tests run, unless --max-fail N is given"},
    {"--numprocesses", "--jobs", {}},
    {"--output-junit", "--junit", {}},
    {"--output-on-failure", {}, "the output of a failed test is always shown"},
    {"--parallel", "--jobs", {}},
    {"--repeat-until-fail", "--until-fail", {}},
    {"--rerun-failed", "--last-failed", {}},
    {"--reruns", "--retries", {}},
    {"--run-exact", "--exact", {}},
    {"--stop-on-failure", "--max-fail 1", {}},
    {"--test-threads", "--jobs", {}},
    {"--tests-regex", {}, filters},
    {"-L", "--tag", {}},
    {"-R", {}, filters},
    {"-V", "--verbose", {}},
    {"-k", {}, filters},
    {"-m", "--tag", {}},
    {"-n", "--jobs", {}},
    {"-s", "--no-capture", {}},
    {"-x", "--max-fail 1", {}},
};

} // namespace

std::string our_word_for(std::string_view option) {
    for (const auto& one : known_words)
        if (one.theirs == option)
            return one.ours.empty() ? fmt::format("; {}", one.advice)
                                    : fmt::format("; did you mean '{}'?", one.ours);
    return {};
}

} // namespace bridge::cli
