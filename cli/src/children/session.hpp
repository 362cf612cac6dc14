// SPDX-License-Identifier: Apache-2.0
// One process that runs many tests, one at a time, as it is told over its control socket.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <bridge/protocol/serving.hpp>

#include "children/child.hpp"
#include "process/guardian.hpp"
#include "process/pipe_reader.hpp"

namespace bridge::cli {

class session final : public child, public std::enable_shared_from_this<session> {
public:
    /// `groups` is told of the groups that the process makes for its tests.
    session(boost::asio::io_context& context, process started, guardian& groups);

    void start();

    /// Runs a test; its end comes to the sinks, from here or from the process's end. Not before the
    /// one before it has ended.
    void run(const protocol::run_command& what, worker_limits limits, worker_sinks sinks);

    /// Asked when a test in the process itself has ended: false ends the process before the test's
    /// end is told, so that what goes wrong at its exit is the test's.
    std::function<bool()> wants_more;

    /// Told once, in place of a test's end, when the binary does not serve so; why.
    std::function<void(const std::string&)> on_refused;

    /// Told, before it is killed, when the process says what the protocol does not know.
    std::function<void(const std::string&)> on_nonsense;

    /// Told when the process has ended badly, or did not want to end, and no test was running.
    std::function<void(const worker_end&)> on_idle_end;

    /// No more tests: the process may go.
    void finish();

    bool is_idle() const noexcept { return !is_running_; }

    bool is_over() const noexcept { return is_over_; }

    /// Whether a test could be run.
    bool is_alive() const noexcept { return !is_finished_ && !is_over_; }

    void ask() override;
    void stop() override;
    void kill() override;

    void pause() override;
    void resume(std::chrono::nanoseconds stopped) override;

    bool has_ended() const noexcept override { return process_.has_ended(); }

    void collect() override;
    void abandon() noexcept override;

    process_group group() const noexcept override { return process_.group(); }

private:
    void take(std::string_view bytes);
    void take(const protocol::serving_event& event);
    void end_test(const worker_end& end);
    void forget_fork();
    void end_as_crash(const std::string& why);
    void climb(worker_limits limits);
    worker_end make_end(exit_status status) const;

    boost::asio::io_context& context_;
    process process_;
    guardian& groups_;
    pipe_reader output_;
    pipe_reader messages_;
    pipe_reader control_;
    std::string line_;
    std::shared_ptr<escalation> escalation_; ///< of the running test, else of the way to the end
    std::function<void(const worker_end&)> on_end_;
    int fork_ = 0;                              ///< the leader of the running test's own group
    std::vector<protocol::serving_event> held_; ///< until resume()
    bool is_pausing_ = false;
    bool is_running_ = false;
    bool is_finished_ = false;
    bool is_over_ = false;
    std::chrono::steady_clock::time_point started_;
};

} // namespace bridge::cli
