// SPDX-License-Identifier: Apache-2.0
// Selecting tests.
#include "selection.hpp"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "filter.hpp"
#include "options.hpp"

namespace bridge::cli {

namespace {

std::string explain_nothing(const filter& wanted, const discovered& found) {
    std::size_t tests = 0;
    std::vector<std::string> paths;
    for (const auto& binary : found.binaries) {
        tests += binary.tests.size();
        paths.push_back(binary.location.shown_path);
    }
    const auto searched =
        fmt::format("{} tests in {} binaries ({})", tests, paths.size(), fmt::join(paths, ", "));
    const auto words = wanted.describe();
    if (words.empty() || tests == 0)
        return fmt::format("there are no tests: searched {}", searched);
    return fmt::format("no test fits {}: searched {}; 'bridge-test list' shows them, and a binary "
                       "or folder is named with a '/'",
                       words, searched);
}

} // namespace

selection select_tests(supervisor& processes, const options& settings) {
    selection result{discover(processes, locate(settings.paths), settings), {}, {}, {}};
    filter wanted(settings);
    for (const auto& binary : result.found.binaries)
        for (const auto& test : binary.tests)
            if (wanted.selects(test))
                result.cases.push_back({&binary, &test});
    if (processes.stopped() != stop_reason::none)
        return result; // not all binaries were asked: nothing can be said about the words
    if (result.cases.empty())
        result.nothing_selected = explain_nothing(wanted, result.found);
    else
        for (const auto& word : wanted.unused())
            result.warnings.push_back(word + " fits no test");
    return result;
}

} // namespace bridge::cli
