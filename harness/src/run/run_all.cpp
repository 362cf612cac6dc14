// SPDX-License-Identifier: Apache-2.0
#include "run/run_all.hpp"

#include "choose/reproduction.hpp"
#include "choose/selection.hpp"
#include "run/early_exit.hpp"
#include "run/test_runner.hpp"
#include "run/watchdog.hpp"

#include <bridge/protocol/exit_code.hpp>

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string>

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

// The tests of a round, in groups that run at once, each of one loop; then the others, one by one.
using groups = std::vector<std::vector<registered_test>>;

groups make_groups(const test_runner& runner, std::vector<registered_test> tests,
                   unsigned at_once) {
    groups made;
    groups alone;
    for (auto& test : tests) {
        if (at_once < 2 || !runner.can_run_beside(test)) {
            alone.push_back({std::move(test)});
            continue;
        }
        const auto its = std::find_if(made.begin(), made.end(), [&test](const auto& group) {
            return group.front().loop == test.loop;
        });
        (its != made.end() ? *its : made.emplace_back()).push_back(std::move(test));
    }
    made.insert(made.end(), std::make_move_iterator(alone.begin()),
                std::make_move_iterator(alone.end()));
    return made;
}

class round_of_tests {
public:
    round_of_tests(test_runner& runner, const command_line& options, totals& count)
        : runner_(runner), options_(options), count_(count) {}

    /// All of them once, or up to the first failure if that is the end. False if interrupted.
    bool run(std::vector<registered_test> tests) {
        if (options_.shuffled)
            shuffle_tests(tests, runner_.seed());
        const auto all = make_groups(runner_, std::move(tests), options_.concurrent);
        for (std::size_t i = 0; i < all.size(); ++i) {
            run_group(all[i], i + 1 < all.size() ? &all[i + 1].front() : nullptr);
            if (runner_.is_interrupted())
                return false;
            if (options_.until_fail && count_.failed > 0)
                break;
        }
        return true;
    }

private:
    void run_group(const std::vector<registered_test>& tests, const registered_test* next) {
        if (options_.concurrent > 1 && runner_.can_run_beside(tests.front())) {
            for (const auto one :
                 runner_.run_together(tests, options_.timeout, options_.concurrent))
                add(one);
            return;
        }
        const auto result = runner_.run(tests.front(), options_.timeout, next);
        add(result);
        if (result == outcome::timed_out && options_.exact.size() == 1)
            end_timed_out();
    }

    void add(outcome result) {
        count_.add(result);
        if (count_.failed > 0 && !count_.seed_of_failure)
            count_.seed_of_failure = runner_.seed();
    }

    test_runner& runner_;
    const command_line& options_;
    totals& count_;
};

std::string write_totals(const totals& count, unsigned rounds, const command_line& options) {
    auto text = std::to_string(count.passed) + " passed, " + std::to_string(count.failed) +
                " failed, " + std::to_string(count.skipped) + " skipped";
    if (options.repeat || options.until_fail)
        text += ", in " + std::to_string(rounds) + " round(s)";
    text += '\n';
    if ((options.shuffled || options.concurrent > 1 || !options.loops.empty()) &&
        count.seed_of_failure)
        text += "in this order again: " + line_of_run(options, *count.seed_of_failure) + '\n';
    return text;
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
        if (!round_of_tests(runner, options, count).run(tests))
            return protocol::interrupted_exit;
    }
    if (runner.tell_end(write_totals(count, round, options)))
        return count.exit_code();
    std::fputs("error: the results could not be written\n", stderr);
    return protocol::internal_exit;
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
