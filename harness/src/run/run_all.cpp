// SPDX-License-Identifier: Apache-2.0
#include "run/run_all.hpp"

#include "run/early_exit.hpp"
#include "run/test_runner.hpp"
#include "run/watchdog.hpp"

#include <bridge/protocol/exit_code.hpp>

#include <unistd.h>

#include <cstdio>
#include <optional>

namespace bridge::harness {

using protocol::outcome;

namespace {

constexpr std::chrono::milliseconds longest_exit{10'000};

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
        if (failed > 0 || running_test::late_failures() > 0)
            return protocol::failed_exit;
        return passed == 0 ? protocol::skipped_exit : 0;
    }
};

} // namespace

int run_in(python_side& python, const std::vector<registered_test>& tests,
           const command_line& options) {
    // Before there are threads: with them, Linux waits for all CPUs to grow the table of
    // descriptors.
    test_runner loop(python, options);
    python.start_runtime();
    watch_exits(); // after Python's and the runtime's own exit handlers
    totals count;
    for (std::size_t i = 0; i < tests.size(); ++i) {
        const auto* next = i + 1 < tests.size() ? &tests[i + 1] : nullptr;
        const auto result = loop.run(tests[i], options.timeout, next);
        count.add(result);
        if (result == outcome::timed_out && options.exact.size() == 1)
            end_timed_out();
        if (loop.is_interrupted())
            return protocol::interrupted_exit;
    }
    if (options.event_fd < 0) {
        std::printf("%d passed, %d failed, %d skipped\n", count.passed, count.failed,
                    count.skipped);
        if (std::fflush(stdout) != 0) {
            std::fputs("error: the results could not be written\n", stderr);
            return protocol::internal_exit;
        }
    }
    return count.exit_code();
}

exit_guard::exit_guard(int code) {
    order_exit(code);
    watchdog_.emplace(longest_exit,
                      output::last_words{STDERR_FILENO, "the process did not end within 10 s of "
                                                        "its last test\n"});
}

int run_tests(const std::vector<registered_test>& tests, const command_line& options) {
    std::optional<exit_guard> guard;
    std::optional<python_side> python(std::in_place, options);
    const int code = run_in(*python, tests, options);
    guard.emplace(code);
    python.reset();
    return code;
}

} // namespace bridge::harness
