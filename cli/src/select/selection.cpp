// SPDX-License-Identifier: Apache-2.0
// Selecting tests.
#include "select/selection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/error.hpp>

#include "base/error.hpp"
#include "select/filter.hpp"
#include "settings/options.hpp"

namespace bridge::cli {

namespace {

std::string explain_nothing(const filter& wanted, const selection& from, const std::string& loops) {
    const auto& found = from.found;
    std::size_t tests = 0;
    std::vector<std::string> paths;
    for (const auto& binary : found.binaries) {
        tests += binary.tests.size();
        paths.push_back(binary.location.shown_path);
    }
    const auto searched =
        fmt::format("{} tests in {} binaries ({})", tests, paths.size(), fmt::join(paths, ", "));
    const auto words = wanted.describe();
    const auto under =
        loops.empty()
            ? std::string()
            : fmt::format("; --loops {} leaves out the tests that are for other loops", loops);
    if (words.empty() || tests == 0)
        return fmt::format("there are no tests: searched {}{}", searched, under);
    if (words == "--failed" && from.state.path.empty())
        return "no verdicts are remembered: there is no manifest, and neither XDG_CACHE_HOME nor "
               "HOME names a folder; --state names a file";
    if (words == "--failed")
        return fmt::format("no test failed when it last ran, as {} remembers: searched {}",
                           from.state.path, searched);
    return fmt::format("no test fits {}: searched {}; 'bridge-test list' shows them, and a binary "
                       "or folder is named with a '/'{}",
                       words, searched, under);
}

// A file that cannot be understood is as good as none, but not without a word.
void recall(selection& into, const options& settings, const std::string& folder) {
    into.state = place_of_history(settings.state, folder);
    if (const auto why = why_no_history(settings.state); !why.empty())
        throw expected_error(exit_code::usage,
                             fmt::format("--state {}: {}; name a file, or {} to remember nothing",
                                         settings.state, why, no_history));
    if (into.state.is_shared && !why_no_history(into.state.path).empty())
        return; // nobody chose it
    try {
        into.past = history::load(into.state.path);
    } catch (const protocol::protocol_error& error) {
        into.warnings.push_back(
            fmt::format("{}: {}; earlier verdicts are not known", into.state.path, error.what()));
    }
}

void keep_shard(selection& from, const shard& part) {
    const auto all = from.cases.size();
    std::erase_if(from.cases, [&](const test_case& one) {
        return !part.contains(one.binary->location.path, one.info->id);
    });
    from.is_shard_empty = all > 0 && from.cases.empty();
    if (from.is_shard_empty)
        from.warnings.push_back(
            fmt::format("none of the {} selected tests is in shard {}", all, part.describe()));
}

} // namespace

selection select_tests(supervisor& processes, const options& settings) {
    filter wanted(settings);
    auto from = locate(settings.paths);
    selection result;
    recall(result, settings, from.folder);
    result.found = discover(processes, std::move(from), settings);
    for (const auto& binary : result.found.binaries)
        for (const auto& test : binary.tests)
            if (wanted.selects(
                    {test, binary.name, result.past.find(binary.location.path, test.id)}))
                result.cases.push_back({&binary, &test});
    if (processes.stopped() != stop_reason::none)
        return result; // not all binaries were asked: nothing can be said about the words
    if (result.cases.empty())
        result.nothing_selected = explain_nothing(wanted, result, settings.loops);
    else
        for (const auto& word : wanted.unused())
            result.warnings.push_back(word + " fits no test");
    if (settings.part)
        keep_shard(result, *settings.part);
    return result;
}

} // namespace bridge::cli
