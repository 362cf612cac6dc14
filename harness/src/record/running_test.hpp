// SPDX-License-Identifier: Apache-2.0
// One running test: what has been said about it so far. Any thread.
#pragma once

#include "choose/registry.hpp"
#include "record/output.hpp"

#include <chrono>
#include <exception>
#include <mutex>
#include <string>

namespace bridge::harness {

/// Lives as long as the program: a thread that a test left behind may still name it.
class running_test {
public:
    /// Makes the run and tells that it has started; it is now the only one that runs.
    static running_test& start(const registered_test& test, std::chrono::milliseconds timeout,
                               output& to);

    /// The run that this handler works for, else the only one that runs, or null.
    static running_test* find() noexcept;

    const registered_test& test() const noexcept { return test_; }

    std::chrono::milliseconds timeout() const noexcept { return timeout_; }

    void fail(protocol::failure_kind kind, std::string message, std::string file, int line);
    void note(std::string message);
    void skip(std::string reason);
    void mark_stopped(); ///< a test_stop is on its way

    bool is_stopped() const;
    bool is_timed_out() const;

    /// Ends the run and tells its result.
    protocol::outcome finish();

    /// How many failures came after their test had ended.
    static int late_failures() noexcept;

    std::exception_ptr body_error; ///< written by the body, read when it has ended

private:
    running_test(const registered_test& test, std::chrono::milliseconds timeout, output& to);
    protocol::test_finished result() const;

    const registered_test test_;
    const std::chrono::milliseconds timeout_;
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    output& output_;
    mutable std::mutex mutex_;
    int failures_ = 0;
    bool timed_out_ = false;
    bool skipped_ = false;
    bool stopped_ = false;
    bool finished_ = false;
    std::string reason_;
};

/// "5s" and the like, as a time-out's message says it.
std::string timeout_message(std::chrono::milliseconds timeout);

} // namespace bridge::harness
