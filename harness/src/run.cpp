// SPDX-License-Identifier: Apache-2.0
#include "python_side.hpp"

#include "early_exit.hpp"
#include "run.hpp"
#include "watchdog.hpp"

#include <bridge/gil.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace bridge::harness {

using protocol::outcome;
using std::chrono::milliseconds;

namespace {

// Later than the loop's own time-out and the end of what it cancels, sooner than the runner's.
constexpr milliseconds watchdog_delay{1000};
constexpr milliseconds longest_exit{10'000};

struct totals {
    int passed = 0;
    int failed = 0;
    int skipped = 0;

    void add(outcome result) {
        if (result == outcome::passed)
            ++passed;
        else if (result == outcome::skipped)
            ++skipped;
        else
            ++failed;
    }

    int exit_code() const {
        if (failed > 0 || test_run::late_failures() > 0)
            return failed_exit;
        return passed == 0 ? skipped_exit : 0;
    }
};

output::last_words prepare_time_out(const output& to, const protocol::test_info& info,
                                    milliseconds timeout) {
    const auto message = timeout_message(timeout);
    const std::chrono::duration<double, std::milli> took = timeout + watchdog_delay;
    return to.prepare(
        {protocol::test_failure{info.id, protocol::failure_kind::timeout,
                                message + " and could not be cancelled", info.file, info.line},
         protocol::test_finished{info.id, outcome::timed_out, message, took.count()}});
}

class test_loop {
public:
    test_loop(python_side& python, const command_line& options)
        : python_(python), options_(options),
          output_(options.event_fd >= 0 ? make_event_output(options.event_fd)
                                        : make_human_output()) {}

    outcome run(const registered_test& test) {
        const auto timeout = options_.timeout.value_or(test.info.timeout);
        auto& run = test_run::start(test, timeout, *output_);
        set_unfinished_test(run.test().info.id.c_str());
        {
            const watchdog guard(timeout + watchdog_delay,
                                 prepare_time_out(*output_, test.info, timeout));
            const auto unasked = unasked_gil_takes();
            run_guarded(run);
            if (const auto more = unasked_gil_takes() - unasked; more > 0)
                run.fail(protocol::failure_kind::leak,
                         "the bridge took the GIL unasked " + std::to_string(more) + " times", {},
                         0);
        }
        const auto result = run.finish();
        set_unfinished_test(nullptr);
        return result;
    }

    bool is_interrupted() const noexcept { return interrupted_; }

private:
    void run_guarded(test_run& run) {
        try {
            python_.run(run);
        } catch (const python_error& error) {
            interrupted_ = error.matches(PyExc_KeyboardInterrupt);
            run.fail(protocol::failure_kind::exception,
                     interrupted_ ? "interrupted" : error.format(), {}, 0);
        }
    }

    python_side& python_;
    const command_line& options_;
    std::unique_ptr<output> output_;
    bool interrupted_ = false;
};

// Whatever hangs goes down with the process.
[[noreturn]] void end_timed_out() {
    std::fflush(nullptr);
    ::_exit(timed_out_exit);
}

int run_in(python_side& python, const std::vector<registered_test>& tests,
           const command_line& options) {
    watch_exits(); // after Python's and the runtime's own exit handlers
    test_loop loop(python, options);
    totals count;
    for (const auto& test : tests) {
        const auto result = loop.run(test);
        count.add(result);
        if (result == outcome::timed_out && options.exact)
            end_timed_out();
        if (loop.is_interrupted())
            return interrupted_exit;
    }
    if (options.event_fd < 0) {
        std::printf("%d passed, %d failed, %d skipped\n", count.passed, count.failed,
                    count.skipped);
        std::fflush(stdout);
    }
    return count.exit_code();
}

} // namespace

int run_tests(const std::vector<registered_test>& tests, const command_line& options) {
    std::optional<watchdog> exit_guard;
    std::optional<python_side> python(std::in_place, options);
    const int code = run_in(*python, tests, options);
    order_exit(code);
    exit_guard.emplace(longest_exit,
                       output::last_words{STDERR_FILENO, "the process did not end within 10 s of "
                                                         "its last test\n"});
    python.reset();
    return code;
}

} // namespace bridge::harness
