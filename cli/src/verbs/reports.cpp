// SPDX-License-Identifier: Apache-2.0
#include "verbs/reports.hpp"

#include <cstdlib>
#include <string_view>

#include "report/github.hpp"
#include "report/human.hpp"
#include "report/junit.hpp"
#include "report/report_log.hpp"

namespace bridge::cli {

bool wants_github(github_mode mode) {
    const char* actions = std::getenv("GITHUB_ACTIONS");
    if (mode == github_mode::automatic)
        return actions != nullptr && std::string_view(actions) == "true";
    return mode == github_mode::always;
}

std::unique_ptr<report_set> make_reports(const options& settings) {
    auto reports = std::make_unique<report_set>();
    std::unique_ptr<reporter> github;
    if (wants_github(settings.github))
        github = std::make_unique<github_reporter>(); // says something before all others
    reports->add(std::make_unique<human_reporter>(settings));
    if (!settings.junit.empty())
        reports->add(std::make_unique<junit_reporter>(settings.junit));
    if (!settings.further_junit.empty())
        reports->add(std::make_unique<junit_reporter>(settings.further_junit));
    if (!settings.report_log.empty())
        reports->add(std::make_unique<report_log_reporter>(settings.report_log));
    if (github)
        reports->add(std::move(github)); // and the last thing
    return reports;
}

exit_code judge_run(const run_result& of) {
    if (of.stopped == stop_reason::interrupted)
        return exit_code::interrupted;
    if (of.stopped == stop_reason::run_timeout)
        return exit_code::run_timed_out;
    if (of.has_listing_problem)
        return exit_code::listing_failed;
    if (of.has_report_failed)
        return exit_code::report_not_written;
    if (of.is_empty)
        return exit_code::no_tests;
    return of.has_failed ? exit_code::failed : exit_code::passed;
}

} // namespace bridge::cli
