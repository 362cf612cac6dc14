// SPDX-License-Identifier: Apache-2.0
// bridge-test merge: the logs of several runs, as those of shards, reported as one.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "report/report_log_reader.hpp"
#include "verbs/commands.hpp"
#include "verbs/reports.hpp"

namespace bridge::cli {

namespace {

using time_point = std::chrono::system_clock::time_point;

struct merged {
    std::vector<listing_problem> problems;
    std::vector<std::string> warnings;
    std::vector<case_result> results;
    std::optional<run_stopping> stopping;
    std::optional<time_point> begun;
    time_point ended{};
    unsigned jobs = 0;
};

class merger {
public:
    void add(const std::string& path) {
        path_ = path;
        is_finished_ = false;
        begun_.reset();
        missing_ = 0;
        for (auto& event : reader_.read(path))
            std::visit([this](auto& one) { take(one); }, event);
        if (!is_finished_)
            tell_unfinished();
    }

    /// Also tells which parts of the whole were not there.
    const merged& finish() {
        for (const auto& [count, indices] : parts_)
            for (unsigned i = 1; i <= count; ++i)
                if (indices.count(i) == 0)
                    result_.problems.push_back(
                        {"shard " + shard{i, count}.describe(),
                         "no log of this part was given: its tests are not in this report; merge "
                         "all parts at once"});
        return result_;
    }

private:
    void tell_unfinished() {
        result_.problems.push_back(
            {path_, "the run that wrote this log did not end: what it lacks is not in this "
                    "report; run that part again"});
    }

    void take(listing_failed& event) {
        // Every shard lists every binary, and meets the same problems.
        if (known_problems_.insert(event.problem.binary).second)
            result_.problems.push_back(std::move(event.problem));
    }

    void take(warned& event) { result_.warnings.push_back(std::move(event.message)); }

    void take(run_started& event) {
        if (begun_ && !is_finished_)
            tell_unfinished(); // another run's log follows in the same file
        is_finished_ = false;
        missing_ = static_cast<std::ptrdiff_t>(event.tests);
        begun_ = event.time;
        result_.begun = std::min(result_.begun.value_or(event.time), event.time);
        result_.ended = std::max(result_.ended, event.time);
        result_.jobs += event.jobs;
    }

    void take(case_finished& event) {
        const auto& test = event.result.test;
        const auto [first, is_new] = seen_.emplace(std::pair(test.binary, test.info->id), path_);
        if (!is_new)
            throw expected_error(
                exit_code::usage,
                fmt::format("{} is in {} and in {}: merge takes the parts of one run, each once",
                            test.info->id, first->second, path_));
        --missing_;
        result_.results.push_back(std::move(event.result));
    }

    void take(run_stopping& event) {
        if (!result_.stopping || event.reason == stop_reason::interrupted)
            result_.stopping = event;
    }

    void take(run_finished& event) {
        is_finished_ = true;
        if (missing_ > 0)
            result_.problems.push_back(
                {path_, fmt::format("{} of its tests have no end in this log, which is not whole; "
                                    "run that part again",
                                    missing_)});
        if (event.part)
            parts_[event.part->count].insert(event.part->index);
        const auto end = begun_.value_or(time_point{}) +
                         std::chrono::duration_cast<time_point::duration>(event.duration);
        result_.ended = std::max(result_.ended, end);
    }

    template<class Other>
    void take(Other&) {} // told again by what comes after it

    report_log_reader reader_;
    merged result_;
    std::string path_;
    bool is_finished_ = false;
    std::optional<time_point> begun_;
    std::ptrdiff_t missing_ = 0;                   // tests that have begun, and not ended
    std::map<unsigned, std::set<unsigned>> parts_; // by how many there are
    std::set<std::string> known_problems_;
    std::map<std::pair<const test_binary*, std::string>, std::string> seen_;
};

std::size_t count_binaries(const std::vector<case_result>& results) {
    std::set<const test_binary*> binaries;
    for (const auto& one : results)
        binaries.insert(one.test.binary);
    return binaries.size();
}

void emit(report_set& reports, const merged& from) {
    for (const auto& problem : from.problems)
        reports.emit(listing_failed{problem});
    for (const auto& text : from.warnings)
        reports.emit(warned{text});
    if (from.begun)
        reports.emit(
            run_started{from.results.size(), count_binaries(from.results), from.jobs, *from.begun});
    for (const auto& one : from.results)
        reports.emit(case_finished{one});
    reports.emit(run_finished{from.begun ? from.ended - *from.begun : std::chrono::seconds(0)});
}

} // namespace

exit_code merge_logs(const options& settings) {
    merger all;
    for (const auto& path : settings.paths)
        all.add(path);
    auto shown = settings;
    --shown.verbosity; // a line for each test only if it is asked for
    const auto reports = make_reports(shown);
    const auto& result = all.finish();
    emit(*reports, result);
    reports->finish();
    const auto failed =
        std::count_if(result.results.begin(), result.results.end(), [](const case_result& one) {
            return one.result != protocol::outcome::not_run && !is_success(one.result);
        });
    return judge_run({result.stopping ? result.stopping->reason : stop_reason::none,
                      !result.problems.empty(), reports->has_failed(), result.results.empty(),
                      failed > 0});
}

} // namespace bridge::cli
