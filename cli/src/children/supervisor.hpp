// SPDX-License-Identifier: Apache-2.0
// Owns the event loop, the running processes and the signals: the only place that starts or
// ends a child, for listing and for running alike.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/stop_reason.hpp"
#include "children/session.hpp"
#include "children/worker.hpp"
#include "process/guardian.hpp"
#include "process/keyboard.hpp"

namespace bridge::cli {

class supervisor {
public:
    supervisor();
    /// Kills and collects whatever still runs.
    ~supervisor();
    supervisor(const supervisor&) = delete;
    supervisor& operator=(const supervisor&) = delete;

    /// Starts a process; throws std::system_error when that fails.
    std::weak_ptr<worker> start(const command& what, wiring how, worker_limits limits,
                                worker_sinks sinks);

    /// Starts a process that runs tests as it is told; throws std::system_error.
    std::shared_ptr<session> open_session(const command& what, bool is_captured);

    /// Handles events until `is_done` says so.
    void run_until(const std::function<bool()>& is_done);

    /// From now on the run may take this long; then everything is stopped.
    void limit_run(std::chrono::milliseconds timeout);

    /// From now on a person who types `d` is as SIGUSR1: on_ask is called.
    void read_keys();

    /// Asks what runs to write where it is.
    void ask();

    stop_reason stopped() const noexcept { return reason_; }

    /// Called when the reason to stop, or its urgency, changes.
    std::function<void(stop_reason, bool is_kill)> on_stop;

    /// Called when somebody wants to know where the tests are.
    std::function<void()> on_ask;

    /// Called after Ctrl-Z, when all goes on, with the time that does not count.
    std::function<void(std::chrono::nanoseconds)> on_resume;

    boost::asio::io_context& context() noexcept { return context_; }

private:
    template<class Child>
    void watch(const std::shared_ptr<Child>& one);
    void abandon(child& one) noexcept;
    void wait_for_child();
    void wait_for_interrupt();
    void wait_for_stop();
    void wait_for_question();
    void pause();
    void arm_run_timer();
    void collect();
    void stop(stop_reason reason);
    void kill();

    guardian guardian_; // before the loop: its process must not inherit the loop's descriptors
    boost::asio::io_context context_{1};
    boost::asio::signal_set ended_children_;
    boost::asio::signal_set interrupts_;
    boost::asio::signal_set stops_;
    boost::asio::signal_set questions_;
    std::optional<keyboard> keys_;
    boost::asio::steady_timer run_timer_;
    std::vector<std::shared_ptr<child>> children_;
    stop_reason reason_ = stop_reason::none;
    std::chrono::steady_clock::time_point run_end_; ///< if the run has a limit
};

} // namespace bridge::cli
