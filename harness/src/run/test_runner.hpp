// SPDX-License-Identifier: Apache-2.0
// Runs one test after the other in this process, each under its watchdog.
#pragma once

#include "choose/command_line.hpp"
#include "choose/registry.hpp"
#include "choose/tape.hpp"
#include "record/output.hpp"
#include "run/python_side.hpp"
#include "run/watchdog.hpp"

#include <bridge/protocol/outcome.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bridge::harness {

class test_runner {
    using milliseconds = std::chrono::milliseconds;

public:
    test_runner(python_side& python, const command_line& options);

    /// `timeout` is in place of the test's own. None of them counts under a debugger. `next` is the
    /// test that runs after this one, null if that is not known or there is none: what a suite
    /// shares is kept for it.
    protocol::outcome run(const registered_test& test, std::optional<milliseconds> timeout,
                          const registered_test* next);

    /// Whether the test can run beside others in one loop.
    bool can_run_beside(const registered_test& test) const;

    /// Runs tests of that kind, whose loop is the same, so many at once. Their results, and that of
    /// what is none's if it is a failure.
    std::vector<protocol::outcome> run_together(const std::vector<registered_test>& tests,
                                                std::optional<milliseconds> timeout,
                                                unsigned at_once);

    /// Of the tests that run from now on.
    void set_seed(std::uint64_t seed) { settings_.seed = seed; }

    std::uint64_t seed() const noexcept { return settings_.seed; }

    /// False if it could not be written.
    bool tell_end(const std::string& totals) { return output_->tell_end(totals); }

    bool is_interrupted() const noexcept { return interrupted_; }

private:
    void run_guarded(running_test& run, watchdog& guard, bool keeps_suite, milliseconds limit,
                     await_points* points);
    void run_once(running_test& run, bool keeps_suite, milliseconds limit, await_points* points);
    void run_swept(running_test& run, bool keeps_suite, milliseconds limit);
    milliseconds limit_of(const registered_test& test, std::optional<milliseconds> timeout) const;
    output::last_words prepare_time_out(const protocol::test_info& info, milliseconds limit) const;

    python_side& python_;
    run_settings settings_;
    const bool sweeps_all_;
    const tape given_; ///< of the command line
    tape to_repeat_;   ///< of the run that the line to reproduce it is about
    std::unique_ptr<output> output_;
    bool interrupted_ = false;
};

/// Ends the process with 124: whatever hangs goes down with it.
[[noreturn]] void end_timed_out();

} // namespace bridge::harness
