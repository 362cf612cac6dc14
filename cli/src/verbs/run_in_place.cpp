// SPDX-License-Identifier: Apache-2.0
// bridge-test run --isolation none: for a debugger, the terminal is the test's.
#include <cstdio>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include <bridge/protocol/duration.hpp>

#include "base/error.hpp"
#include "children/explain_start.hpp"
#include "children/test_command.hpp"
#include "output/style.hpp"
#include "select/selection.hpp"
#include "settings/settings.hpp"
#include "verbs/commands.hpp"

namespace bridge::cli {

namespace {

// Nobody is there any more to do these.
constexpr const char* impossible[] = {"junit",  "report-log", "retries",
                                      "repeat", "until-fail", "max-fail"};

[[noreturn]] void refuse(const std::string& text) {
    throw expected_error(exit_code::usage, "--isolation none: " + text);
}

void refuse_what_is_impossible(const options& settings) {
    for (const char* name : impossible)
        if (settings.source_of(name) >= layer::environment &&
            find_setting(name)->show(settings) != "false")
            refuse(fmt::format("--{} needs bridge-test to watch the tests; leave one of them out",
                               name));
}

void say_plainly(std::string_view kind, const std::string& text) {
    std::fputs(fmt::format("{}: {}\n", kind, printable(text, false)).c_str(), stderr);
}

command to_command(const selection& tests, const options& settings) {
    const auto& binary = *tests.cases.front().binary;
    std::vector<std::string> arguments;
    for (const auto& one : tests.cases) {
        if (one.binary != &binary)
            refuse(fmt::format("the selected tests are in several binaries, {} and {}; name one",
                               binary.name, one.binary->name));
        arguments.push_back("--run-exact");
        arguments.push_back(one.info->id);
    }
    if (const auto timeout = settings.timeout ? settings.timeout : binary.location.timeout) {
        arguments.push_back("--timeout");
        arguments.push_back(protocol::format_duration(*timeout));
    }
    return test_command(binary.location, std::move(arguments));
}

// With no child left and no signal caught, as the program is to find it. Nothing if all is in
// order and nothing is to run: a part may have no tests.
std::optional<command> choose(const options& settings) {
    supervisor processes;
    const auto tests = select_tests(processes, settings);
    for (const auto& problem : tests.found.problems)
        say_plainly("error", problem.binary + ": " + problem.message);
    for (const auto& warning : tests.warnings)
        say_plainly("warning", warning);
    if (processes.stopped() != stop_reason::none)
        throw expected_error(exit_code::interrupted, "interrupted");
    if (!tests.found.problems.empty())
        throw expected_error(exit_code::listing_failed, "not all binaries were listed");
    if (tests.is_shard_empty)
        return std::nullopt; // the warning has said so
    if (tests.cases.empty())
        throw expected_error(exit_code::no_tests, tests.nothing_selected);
    return to_command(tests, settings);
}

} // namespace

exit_code run_in_place(const options& settings) {
    refuse_what_is_impossible(settings);
    const auto what = choose(settings);
    if (!what)
        return exit_code::passed;
    try {
        replace_process(*what);
    } catch (const std::system_error& error) {
        throw expected_error(exit_code::internal,
                             what->program + ": " + explain_start(error, what->program));
    }
}

} // namespace bridge::cli
