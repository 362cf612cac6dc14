// SPDX-License-Identifier: Apache-2.0
// bridge-test list.
#include <cstdio>
#include <optional>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/listing.hpp>

#include "output/style.hpp"
#include "output/writer.hpp"
#include "report/stopped_commands.hpp"
#include "select/selection.hpp"
#include "verbs/commands.hpp"
#include "verbs/reports.hpp"

namespace bridge::cli {

namespace {

std::string to_human(const test_binary& binary, const protocol::listing& tests) {
    auto text =
        fmt::format("{} ({}):\n", one_line(binary.name), one_line(binary.location.shown_path));
    for (const auto& test : tests.tests) {
        const auto tags =
            test.tags.empty() ? "" : fmt::format("  [{}]", fmt::join(test.tags, ", "));
        text += fmt::format("    {}{}\n", one_line(test.id), one_line(tags));
    }
    return text;
}

// Each binary's part of the selection as a listing, in order.
std::vector<std::pair<const test_binary*, protocol::listing>> by_binary(const selection& tests) {
    std::vector<std::pair<const test_binary*, protocol::listing>> groups;
    for (const auto& test : tests.cases) {
        if (groups.empty() || groups.back().first != test.binary)
            groups.push_back({test.binary, {test.binary->name, {}}});
        groups.back().second.tests.push_back(*test.info);
    }
    return groups;
}

std::string to_text(const selection& tests, list_format format) {
    std::string text;
    for (const auto& [binary, listing] : by_binary(tests)) {
        if (format == list_format::human)
            text += to_human(*binary, listing);
        else
            text += (text.empty() ? "" : ",\n") + write_listing(listing, binary->location.path);
    }
    return format == list_format::human
               ? text
               : "{\"bridge_test_list\":1,\"binaries\":[\n" + text + "]}\n";
}

void say(std::string_view kind, const std::string& text) {
    console().write(STDERR_FILENO, fmt::format("{}: {}\n", kind, printable(text, false)));
}

// A problem's text has what the binary wrote.
void tell(const selection& tests, bool is_github) {
    std::optional<stopped_commands> stopped;
    if (is_github && !tests.found.problems.empty())
        stopped.emplace(STDERR_FILENO);
    for (const auto& problem : tests.found.problems)
        say("error", problem.binary + ": " + problem.message);
    for (const auto& warning : tests.warnings)
        say("warning", warning);
}

// False when the list did not reach its reader, as on a full disk.
bool write_list(const std::string& text) {
    return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
}

} // namespace

exit_code list_tests(const options& settings) {
    supervisor processes;
    const auto tests = select_tests(processes, settings);
    tell(tests, wants_github(settings.github));
    if (processes.stopped() == stop_reason::interrupted)
        return exit_code::interrupted;
    if (!write_list(to_text(tests, settings.format))) {
        say("error", "the list could not be written to stdout");
        return exit_code::report_not_written;
    }
    if (!tests.nothing_selected.empty())
        say("error", tests.nothing_selected);
    if (!tests.found.problems.empty())
        return exit_code::listing_failed;
    return tests.cases.empty() && !tests.is_shard_empty ? exit_code::no_tests : exit_code::passed;
}

} // namespace bridge::cli
