// SPDX-License-Identifier: Apache-2.0
// How a process group is brought to its end: time-out -> (SIGQUIT ->) SIGTERM -> SIGKILL.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "process/process.hpp"

namespace bridge::cli {

struct worker_limits {
    std::optional<std::chrono::milliseconds> timeout; ///< until the process may explain itself
    std::chrono::milliseconds dump_time{1000};        ///< for that, until the group gets SIGTERM
    std::chrono::milliseconds kill_after{1000};       ///< from SIGTERM to SIGKILL

    /// How much of its time until now does not count; empty: none.
    std::function<std::chrono::steady_clock::duration()> more = {};
};

/// Who ended the process.
enum class ending { by_itself, timed_out, stopped };

/// Owned by a shared_ptr: what is still on its way when the owner drops it finds nobody.
class escalation : public std::enable_shared_from_this<escalation> {
public:
    escalation(boost::asio::io_context& context, worker_limits limits)
        : limits_(limits), timer_(context) {}

    /// From now on its time counts.
    void start(process_group of);

    /// The process that is meant has become known, and begins now.
    void set_target(process_group of);

    /// Asks the leader where it is, if it can answer: by SIGQUIT. Changes nothing else.
    void ask() const;

    /// Asks the group to end, and kills it if it has not by `kill_after`.
    void stop();

    /// Kills the group at once.
    void kill();

    /// Stops the group, and the clock; resume() lets both go on.
    void pause();
    void resume();

    /// The process has ended; nothing more is sent.
    void disarm();

    ending cause() const noexcept { return cause_; }

    /// By which signal the process was stopped when its time was over; 0 if it was not.
    int stop_signal() const noexcept { return stop_signal_; }

private:
    void arm(std::chrono::steady_clock::duration delay, std::function<void()> action);
    bool puts_off(std::function<void()> action);
    void end(ending cause);
    void explain_then_end();
    void terminate_explained();
    void terminate();

    worker_limits limits_;
    boost::asio::steady_timer timer_;
    process_group target_;
    ending cause_ = ending::by_itself;
    int stop_signal_ = 0;
    std::function<void()> next_; ///< what happens when the timer ends
    std::chrono::steady_clock::duration left_{};
    std::chrono::steady_clock::duration granted_{}; ///< of limits_.more
    bool is_paused_ = false;
    bool is_armed_ = false;
    bool is_ending_ = false;
};

} // namespace bridge::cli
