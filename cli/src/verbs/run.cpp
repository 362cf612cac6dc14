// SPDX-License-Identifier: Apache-2.0
// bridge-test run.
#include <chrono>
#include <optional>
#include <set>

#include "process/shared_streams.hpp"
#include "run/dispatcher.hpp"
#include "run/history_writer.hpp"
#include "select/selection.hpp"
#include "verbs/commands.hpp"
#include "verbs/reports.hpp"

namespace bridge::cli {

namespace {

std::size_t count_binaries(const std::vector<test_case>& cases) {
    std::set<const test_binary*> binaries;
    for (const auto& one : cases)
        binaries.insert(one.binary);
    return binaries.size();
}

std::vector<planned_test> plan(const selection& tests, const options& settings) {
    std::vector<planned_test> plans;
    for (const auto& one : tests.cases)
        plans.push_back(
            make_plan(one, settings, tests.past.find(one.binary->location.path, one.info->id)));
    return plans;
}

void announce(report_set& reports, const selection& tests, const options& settings) {
    for (const auto& problem : tests.found.problems)
        reports.emit(listing_failed{problem});
    for (const auto& text : tests.warnings)
        reports.emit(warned{text});
    if (!tests.nothing_selected.empty())
        reports.emit(warned{tests.nothing_selected});
    if (!tests.cases.empty())
        reports.emit(run_started{tests.cases.size(), count_binaries(tests.cases), settings.jobs});
}

} // namespace

exit_code run_tests(const options& settings) {
    if (settings.isolation == isolation_mode::none)
        return run_in_place(settings);
    const shared_streams streams; // as they were, again, whatever tests do to them
    const auto started = std::chrono::steady_clock::now();
    const auto all_reports = make_reports(settings);
    auto& reports = *all_reports;

    std::optional<supervisor> watching(std::in_place);
    auto& processes = *watching;
    processes.on_stop = [&](stop_reason reason, bool is_kill) {
        reports.emit(run_stopping{reason, is_kill});
    };
    if (settings.run_timeout)
        processes.limit_run(*settings.run_timeout);
    const auto tests = select_tests(processes, settings);
    reports.add(std::make_unique<history_writer>(tests.state, tests.found.binaries));
    announce(reports, tests, settings);
    if (settings.is_capturing) // else the terminal is the tests'
        processes.read_keys();
    const auto failed =
        dispatcher(processes, settings, reports, streams).run(plan(tests, settings));
    reports.emit(run_finished{std::chrono::steady_clock::now() - started, settings.part});
    const auto stopped = processes.stopped();
    watching.reset(); // from here on a signal ends us: only a reader who is late can be waited for
    reports.finish();
    return judge_run({stopped, !tests.found.problems.empty(), reports.has_failed(),
                      tests.cases.empty() && !tests.is_shard_empty, failed > 0});
}

} // namespace bridge::cli
