// SPDX-License-Identifier: Apache-2.0
#include "run/test_runner.hpp"

#include "choose/reproduction.hpp"
#include "record/errors.hpp"
#include "record/record_error.hpp"
#include "run/cancel_sweep.hpp"
#include "run/exit_now.hpp"
#include "run/unfinished_test.hpp"

#include <bridge/gil.hpp>
#include <bridge/protocol/exit_code.hpp>

#include <cstdio>
#include <fstream>
#include <random>
#include <string>

namespace bridge::harness {

using protocol::outcome;
using std::chrono::milliseconds;

namespace {

constexpr std::chrono::hours no_timeout{24 * 364};

// Whoever looks at a test step by step takes longer than any time-out. Only Linux tells.
bool is_debugged() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("TracerPid:"))
            return line.find_first_of("123456789") != line.npos;
    return false;
}

// Lives as long as the program: a thread that the test left behind may still tell it of a wait.
await_points& make_await_points(running_test& run) {
    auto* points = new await_points(run);
    run.set_listener(points);
    return *points;
}

void check_invariant(running_test& run, const std::function<void()>& invariant) {
    run.enter("the invariant of the sweep");
    try {
        invariant();
    } catch (...) {
        record_error(run, std::current_exception());
    }
    run.enter("");
}

// Not of what has the main thread or a thread of its own, when all tests are swept.
bool can_be_swept(const registered_test& test) {
    const auto& body = test.what->body;
    return body.on_thread == nullptr && body.on_main_thread == nullptr;
}

bool share_suite(const registered_test& one, const registered_test& other) {
    const auto* suite = one.what->fixture.suite;
    return suite != nullptr && suite == other.what->fixture.suite && one.loop == other.loop &&
           one.options.is_in_virtual_time == other.options.is_in_virtual_time;
}

} // namespace

test_runner::test_runner(python_side& python, const command_line& options)
    : python_(python), settings_{options.loop,
                                 options.seed ? *options.seed : std::random_device()(),
                                 options.artifacts},
      sweeps_all_(options.cancel_sweep), given_(options.choices),
      output_(options.event_fd >= 0
                  ? make_event_output(options.event_fd)
                  : make_human_output([this, options](const std::string& id) {
                        const bool is_group = id.starts_with('('); // of run_together()
                        return is_group ? line_of_run(options, settings_.seed)
                                        : line_of_test(options, id, settings_.seed, to_repeat_);
                    })) {}

outcome test_runner::run(const registered_test& test, std::optional<milliseconds> timeout,
                         const registered_test* next) {
    const auto limit = limit_of(test, timeout);
    auto& run = running_test::start(test, limit, *output_, settings_);
    const unfinished_test unfinished(run.test().info.id, *output_);
    to_repeat_ = {};
    const bool keeps_suite = next != nullptr && share_suite(test, *next);
    const bool is_swept = test.options.is_swept || sweeps_all_ || !given_.is_empty();
    if (is_swept && can_be_swept(test))
        run_swept(run, keeps_suite, limit);
    else
        run_once(run, keeps_suite, limit, nullptr);
    if (!given_.is_empty() && !can_be_swept(test))
        run.fail(protocol::failure_kind::check,
                 "--tape is for bodies that the loop runs, as BRIDGE_TEST's", test.info.file,
                 test.info.line);
    return run.finish();
}

milliseconds test_runner::limit_of(const registered_test& test,
                                   std::optional<milliseconds> timeout) const {
    return is_debugged() ? no_timeout : timeout.value_or(test.info.timeout);
}

output::last_words test_runner::prepare_time_out(const protocol::test_info& info,
                                                 milliseconds limit) const {
    const auto message = timeout_message(limit);
    const std::chrono::duration<double, std::milli> took = limit + watchdog_delay;
    const auto run_of_it =
        to_repeat_.is_empty() ? std::string() : "; in the sweep, with --tape " + to_repeat_.text();
    return output_->prepare(
        {protocol::test_failure{info.id, protocol::failure_kind::timeout,
                                message + " and could not be cancelled: " + output::gap + run_of_it,
                                info.file, info.line},
         protocol::test_finished{info.id, outcome::timed_out, message, took.count()}});
}

// All of its runs together have the test's time.
void test_runner::run_swept(running_test& run, bool keeps_suite, milliseconds limit) {
    auto& points = make_await_points(run);
    const auto deadline = watchdog::clock::now() + limit;
    const auto once = [&](const tape& choices, bool is_last) {
        to_repeat_ = choices;
        const auto left = std::chrono::ceil<milliseconds>(deadline - watchdog::clock::now());
        if (left <= milliseconds(0))
            run.fail(protocol::failure_kind::timeout,
                     "the sweep " + timeout_message(limit) +
                         "; give it more by timeout(): it runs the body again for each await point",
                     run.test().info.file, run.test().info.line);
        else
            run_once(run, keeps_suite || !is_last, left, &points);
        if (const auto& invariant = run.test().options.invariant)
            check_invariant(run, invariant);
        return !interrupted_;
    };
    if (given_.is_empty())
        to_repeat_ = sweep(run, points, once);
    else
        replay(run, points, given_, once);
    run.set_listener(nullptr);
}

void test_runner::run_once(running_test& run, bool keeps_suite, milliseconds limit,
                           await_points* points) {
    watchdog guard(limit + watchdog_delay, prepare_time_out(run.test().info, run.timeout()));
    const auto unasked = unasked_gil_takes();
    run_guarded(run, guard, keeps_suite, limit, points);
    if (const auto more = unasked_gil_takes() - unasked; more > 0)
        run.fail(protocol::failure_kind::leak,
                 "the bridge took the GIL unasked " + std::to_string(more) + " times", {}, 0);
}

void test_runner::run_guarded(running_test& run, watchdog& guard, bool keeps_suite,
                              milliseconds limit, await_points* points) {
    try {
        python_.run(run, guard, keeps_suite, limit, points);
    } catch (const python_error& error) {
        interrupted_ = error.matches(PyExc_KeyboardInterrupt);
        run.fail(protocol::failure_kind::exception,
                 interrupted_ ? "interrupted" : explain_python_error(error), {}, 0);
    }
}

void end_timed_out() {
    std::fflush(nullptr);
    exit_now(protocol::timed_out_exit);
}

} // namespace bridge::harness
