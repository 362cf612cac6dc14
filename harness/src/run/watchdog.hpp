// SPDX-License-Identifier: Apache-2.0
// The last resort against a hang: a thread that needs neither the GIL nor memory to end the
// process with a verdict.
#pragma once

#include "record/output.hpp"
#include "run/explaining.hpp"

#include <bridge/detail/virtual_time.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace bridge::harness {

/// Later than the loop's own time-out and the end of what it cancels, sooner than the runner's.
inline constexpr std::chrono::milliseconds watchdog_delay{1000};

/// Ends the process with code 124 after the given time, unless it is destroyed before; time in
/// which the process was stopped, or is being explained, does not count. What it says then is
/// prepared now; its gap is filled by a verdict: "the main thread is blocked, ...", or who holds
/// the GIL. A moment before that it raises SIGQUIT in its thread, if catch_dumps() was called.
class watchdog {
public:
    using clock = bridge::detail::real_clock;

    watchdog(std::chrono::milliseconds after, output::last_words words);
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog();

    /// What it watches lives: not before so much time from now. Any thread.
    void put_off(std::chrono::milliseconds more);

    /// For how long the process has been stopped since then: by Ctrl-Z, SIGSTOP or a debugger, or
    /// to be explained. Other stops of less than half a second are not noticed. Any thread.
    clock::duration stopped();

private:
    void wait();
    bool wait_until(std::unique_lock<std::mutex>& lock, clock::duration before);
    void notice_stop();
    void say_last_words() const noexcept;

    const output::last_words words_;
    std::mutex mutex_;
    std::condition_variable changed_;
    clock::time_point seen_ = clock::now();
    clock::time_point deadline_; ///< without the time in which the process was stopped
    clock::duration stopped_{0};
    clock::duration explained_ = explaining::time();
    bool over_ = false;
    std::thread thread_;
};

/// While Python is there, SIGQUIT has a handler by now, which writes where Python's threads are. From now on it writes
/// before that where C++ is: the coroutines of tests that wait, who holds the GIL, and the stacks
/// of all threads. After that Python writes where its tasks are, if it gets to it.
void catch_dumps();

} // namespace bridge::harness
