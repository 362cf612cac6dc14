// SPDX-License-Identifier: Apache-2.0
#include "run/test_runner.hpp"

#include "choose/reproduction.hpp"
#include "record/errors.hpp"
#include "run/early_exit.hpp"
#include "run/exit_now.hpp"

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

// Later than the loop's own time-out and the end of what it cancels, sooner than the runner's.
constexpr milliseconds watchdog_delay{1000};
constexpr std::chrono::hours no_timeout{24 * 364};

output::last_words prepare_time_out(const output& to, const protocol::test_info& info,
                                    milliseconds timeout) {
    const auto message = timeout_message(timeout);
    const std::chrono::duration<double, std::milli> took = timeout + watchdog_delay;
    return to.prepare(
        {protocol::test_failure{info.id, protocol::failure_kind::timeout,
                                message + " and could not be cancelled: the main "
                                          "thread is blocked, where its stack says", info.file, info.line},
         protocol::test_finished{info.id, outcome::timed_out, message, took.count()}});
}

// Whoever looks at a test step by step takes longer than any time-out. Only Linux tells.
bool is_debugged() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("TracerPid:"))
            return line.find_first_of("123456789") != line.npos;
    return false;
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
      output_(options.event_fd >= 0 ? make_event_output(options.event_fd)
                                    : make_human_output([this, options](const std::string& id) {
                                          return line_of_test(options, id, settings_.seed);
                                      })) {}

outcome test_runner::run(const registered_test& test, std::optional<milliseconds> timeout,
                         const registered_test* next) {
    const auto limit = is_debugged() ? no_timeout : timeout.value_or(test.info.timeout);
    auto& run = running_test::start(test, limit, *output_, settings_);
    set_unfinished_test(run.test().info.id.c_str());
    {
        watchdog guard(limit + watchdog_delay, prepare_time_out(*output_, test.info, limit));
        const auto unasked = unasked_gil_takes();
        run_guarded(run, guard, next != nullptr && share_suite(test, *next));
        if (const auto more = unasked_gil_takes() - unasked; more > 0)
            run.fail(protocol::failure_kind::leak,
                     "the bridge took the GIL unasked " + std::to_string(more) + " times", {}, 0);
    }
    const auto result = run.finish();
    set_unfinished_test(nullptr);
    return result;
}

void test_runner::run_guarded(running_test& run, watchdog& guard, bool keeps_suite) {
    try {
        python_.run(run, guard, keeps_suite);
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
