// SPDX-License-Identifier: Apache-2.0
#include "run/cancel_sweep.hpp"

#include <bridge/protocol/duration.hpp>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

namespace bridge::harness {
namespace {

// More of them say nothing new.
constexpr unsigned most_failed_runs = 20;

class cancellations {
    using clock = std::chrono::steady_clock;

public:
    cancellations(running_test& run, await_points& points, const run_once& once)
        : run_(run), points_(points), once_(once) {}

    /// Whether the run has added no failure.
    bool has_run_well(const tape& choices, bool is_last) {
        const auto failures = run_.failures();
        run_begun_ = clock::now();
        points_.begin(choices);
        was_interrupted_ = !once_(choices, is_last);
        run_.set_cancelled({});
        return run_.failures() == failures;
    }

    tape run_each(const std::vector<unsigned>& draws) {
        planned_ = std::accumulate(draws.begin(), draws.end(), 0U) - unsigned(draws.size());
        for (unsigned draw = 1; draw <= draws.size(); ++draw)
            for (unsigned chosen = 1; chosen < draws[draw - 1]; ++chosen)
                if (const bool is_last = draw == draws.size() && chosen + 1 == draws[draw - 1];
                    !run_one(tape({{draw, chosen}}), is_last))
                    return first_failed_;
        run_.note("swept: " + std::to_string(draws.size()) + " await point(s), cancelled in " +
                  std::to_string(cancelled_) + " run(s)" +
                  (unreached_ > 0 ? ", not reached again in " + std::to_string(unreached_) : ""));
        return first_failed_;
    }

private:
    // Whether there is to be another one.
    bool run_one(const tape& choices, bool is_last) {
        if (!has_run_well(choices, is_last)) {
            if (++failed_ == 1)
                first_failed_ = choices;
            if (failed_ == most_failed_runs)
                run_.note("the sweep ends here: " + std::to_string(failed_) + " runs have failed");
        }
        if (run_.is_timed_out())
            tell_progress();
        ++(points_.is_cancelled() ? cancelled_ : unreached_);
        return failed_ < most_failed_runs && !run_.is_timed_out() && !was_interrupted_;
    }

    // Tells a run that hangs from more runs than fit into the time.
    void tell_progress() {
        const auto had = run_.timeout() - (run_begun_ - begun_);
        run_.note("the sweep did not end: run " + std::to_string(cancelled_ + unreached_ + 1) +
                  " of " + std::to_string(planned_) + " was the last, and had " +
                  protocol::format_duration(
                      std::max(std::chrono::ceil<std::chrono::milliseconds>(had), {})) +
                  " of the " + protocol::format_duration(run_.timeout()));
    }

    running_test& run_;
    await_points& points_;
    const run_once& once_;
    const clock::time_point begun_ = clock::now();
    clock::time_point run_begun_;
    unsigned planned_ = 0;
    unsigned cancelled_ = 0;
    unsigned unreached_ = 0;
    unsigned failed_ = 0;
    bool was_interrupted_ = false;
    tape first_failed_;
};

} // namespace

tape sweep(running_test& run, await_points& points, const run_once& once) {
    cancellations each(run, points, once);
    if (!each.has_run_well({}, false)) {
        run.note("not swept: it fails without a cancellation");
        return {};
    }
    if (run.is_skipped())
        return {};
    const auto draws = points.draws();
    if (draws.empty()) {
        run.note("not swept: it waits for nothing");
        return {};
    }
    return each.run_each(draws);
}

void replay(running_test& run, await_points& points, const tape& choices, const run_once& once) {
    cancellations(run, points, once).has_run_well(choices, true);
    if (!points.is_used_up())
        run.fail(
            protocol::failure_kind::check,
            "--tape " + choices.text() + " does not fit: the test drew " +
                std::to_string(points.draws().size()) +
                " choice(s), or has no such choice there; it has changed, or runs otherwise than "
                "when the tape was written",
            run.test().info.file, run.test().info.line);
}

} // namespace bridge::harness
