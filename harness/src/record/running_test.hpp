// SPDX-License-Identifier: Apache-2.0
// One running test: what has been said about it so far. Any thread.
#pragma once

#include "choose/registry.hpp"
#include "record/output.hpp"
#include "record/resources.hpp"
#include "record/waits.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

namespace bridge::harness {

/// Lives as long as the program: a thread that a test left behind may still name it.
class running_test {
public:
    /// Makes the run and tells that it has started; it is now the only one that runs.
    static running_test& start(const registered_test& test, std::chrono::milliseconds timeout,
                               output& to, const run_settings& settings);

    /// The same beside others: what nobody can say whose it is stays that of the one that runs.
    static running_test& start_beside(const registered_test& test,
                                      std::chrono::milliseconds timeout, output& to,
                                      const run_settings& settings);

    /// The run that this handler works for, else the only one that runs, or null.
    static running_test* find() noexcept;

    const registered_test& test() const noexcept { return test_; }

    detail::loop_name loop() const noexcept { return loop_; }

    std::chrono::milliseconds timeout() const noexcept { return timeout_; }

    resources& own() noexcept { return resources_; }

    void fail(protocol::failure_kind kind, std::string message, std::string file, int line);
    void note(std::string message);
    void skip(std::string reason); ///< in a sub-test only a note
    void mark_stopped();           ///< a test_stop is on its way
    void mark_caught();            ///< it has ended a sub-test
    void enter(const char* phase); ///< "set_up", "" (the body), "tear_down"

    /// From now on a cancelled body is known, and failures say how; empty: no longer.
    void set_cancelled(std::string how);
    bool is_cancelled() const;

    /// Who hears of each wait; null: nobody. It lives as long as the program.
    void set_listener(wait_listener* listener) noexcept { listener_ = listener; }

    wait_listener* listener() const noexcept { return listener_; }

    /// The system's number of the thread that runs the body, if that has one of its own; else zero.
    void set_body_thread(int thread) noexcept { body_thread_ = thread; }

    int body_thread() const noexcept { return body_thread_; }

    bool is_stopped() const;
    bool is_timed_out() const;
    bool is_skipped() const;
    int failures() const;
    std::string phase() const;

    /// Beside every failure from now on; the text stays where it is until it is removed.
    void add_context(const std::string& text);
    void remove_context(const std::string& text);
    void count_sub_tests(int change);

    /// Ends the run and tells its result.
    protocol::outcome finish();

    /// How many failures came after their test had ended.
    static int late_failures() noexcept;

private:
    running_test(const registered_test& test, std::chrono::milliseconds timeout, output& to,
                 const run_settings& settings);
    void tell_failure(protocol::test_failure failure);
    void judge_known_fault();
    void decide(protocol::test_finished& end) const;

    const registered_test test_;
    const std::chrono::milliseconds timeout_;
    const detail::loop_name loop_;
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    output& output_;
    resources resources_;
    mutable std::mutex mutex_;
    int failures_ = 0;
    bool timed_out_ = false;
    bool skipped_ = false;
    bool stopped_ = false;
    bool finished_ = false;
    std::string reason_;
    std::string phase_;
    int sub_tests_ = 0; ///< that run now
    std::vector<const std::string*> contexts_;
    std::string cancelled_;
    std::atomic<wait_listener*> listener_{nullptr};
    std::atomic<int> body_thread_{0};
};

/// Throws std::logic_error if the test has real time.
void require_virtual_time(const running_test& run, const char* what);

/// "5s" and the like, as a time-out's message says it.
std::string timeout_message(std::chrono::milliseconds timeout);

} // namespace bridge::harness
