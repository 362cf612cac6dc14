// SPDX-License-Identifier: Apache-2.0
#include "run/run_all.hpp"

#include "choose/reproduction.hpp"
#include "choose/selection.hpp"
#include "run/early_exit.hpp"
#include "run/test_runner.hpp"
#include "run/watchdog.hpp"

#include <bridge/protocol/exit_code.hpp>

#include <unistd.h>

#include <climits>
#include <cstdint>
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
    std::optional<std::uint64_t> seed_of_failure; ///< of the round in which the first one was

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

// All of them once, or up to the first failure if that is the end. False if interrupted.
bool run_round(test_runner& runner, std::vector<registered_test> tests, const command_line& options,
               totals& count) {
    if (options.shuffled)
        shuffle_tests(tests, runner.seed());
    for (std::size_t i = 0; i < tests.size(); ++i) {
        const auto* next = i + 1 < tests.size() ? &tests[i + 1] : nullptr;
        const auto result = runner.run(tests[i], options.timeout, next);
        count.add(result);
        if (count.failed > 0 && !count.seed_of_failure)
            count.seed_of_failure = runner.seed();
        if (result == outcome::timed_out && options.exact.size() == 1)
            end_timed_out();
        if (runner.is_interrupted())
            return false;
        if (options.until_fail && count.failed > 0)
            break;
    }
    return true;
}

// False if nobody can read them.
bool print_totals(const totals& count, unsigned rounds, const command_line& options) {
    std::printf("%d passed, %d failed, %d skipped", count.passed, count.failed, count.skipped);
    if (options.repeat || options.until_fail)
        std::printf(", in %u round(s)", rounds);
    std::printf("\n");
    if (options.shuffled && count.seed_of_failure)
        std::printf("in this order again: %s\n",
                    line_of_run(options, *count.seed_of_failure).c_str());
    if (std::fflush(stdout) == 0)
        return true;
    std::fputs("error: the results could not be written\n", stderr);
    return false;
}

} // namespace

int run_in(python_side& python, const std::vector<registered_test>& tests,
           const command_line& options) {
    // Before there are threads: with them, Linux waits for all CPUs to grow the table of
    // descriptors.
    test_runner runner(python, options);
    python.start_runtime();
    watch_exits(); // after Python's and the runtime's own exit handlers
    totals count;
    const auto first_seed = runner.seed();
    const auto rounds = options.repeat.value_or(options.until_fail ? UINT_MAX : 1);
    unsigned round = 0;
    for (; round < rounds && !(options.until_fail && count.failed > 0); ++round) {
        runner.set_seed(first_seed + round);
        if (!run_round(runner, tests, options, count))
            return protocol::interrupted_exit;
    }
    if (options.event_fd < 0 && !print_totals(count, round, options))
        return protocol::internal_exit;
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
