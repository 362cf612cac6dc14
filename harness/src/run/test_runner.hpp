// SPDX-License-Identifier: Apache-2.0
// Runs one test after the other in this process, each under its watchdog.
#pragma once

#include "choose/command_line.hpp"
#include "choose/registry.hpp"
#include "record/output.hpp"
#include "run/python_side.hpp"
#include "run/watchdog.hpp"

#include <bridge/protocol/outcome.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace bridge::harness {

class test_runner {
public:
    test_runner(python_side& python, const command_line& options);

    /// `timeout` is in place of the test's own. None of them counts under a debugger. `next` is the
    /// test that runs after this one, null if that is not known or there is none: what a suite
    /// shares is kept for it.
    protocol::outcome run(const registered_test& test,
                          std::optional<std::chrono::milliseconds> timeout,
                          const registered_test* next);

    /// Of the tests that run from now on.
    void set_seed(std::uint64_t seed) { settings_.seed = seed; }

    std::uint64_t seed() const noexcept { return settings_.seed; }

    bool is_interrupted() const noexcept { return interrupted_; }

private:
    void run_guarded(running_test& run, watchdog& guard, bool keeps_suite);

    python_side& python_;
    run_settings settings_;
    std::unique_ptr<output> output_;
    bool interrupted_ = false;
};

/// Ends the process with 124: whatever hangs goes down with it.
[[noreturn]] void end_timed_out();

} // namespace bridge::harness
