// SPDX-License-Identifier: Apache-2.0
// One supervised process as a state machine: runs -> ((SIGQUIT ->) SIGTERM -> SIGKILL ->)
// ended.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "process.hpp"

namespace bridge::cli {

struct worker_limits {
    std::optional<std::chrono::milliseconds> timeout; ///< until the process may explain itself
    std::chrono::milliseconds dump_time{1000};        ///< for that, until the group gets SIGTERM
    std::chrono::milliseconds kill_after{1000};       ///< from SIGTERM to SIGKILL
};

/// Who ended the process.
enum class ending { by_itself, timed_out, stopped };

struct worker_end {
    exit_status status;
    ending cause = ending::by_itself;
    bool left_processes = false; ///< something else still held a pipe open
    std::chrono::nanoseconds duration{0};
};

/// What a worker's owner wants to hear; `end` comes last and once.
struct worker_sinks {
    std::function<void(std::string_view)> output;
    std::function<void(std::string_view)> messages;
    std::function<void(const worker_end&)> end;
};

class worker : public std::enable_shared_from_this<worker> {
public:
    worker(boost::asio::io_context& context, process child, worker_limits limits,
           worker_sinks sinks);

    void start();

    /// Asks the group to end, and kills it if it has not by `kill_after`.
    void stop() { end(ending::stopped); }

    /// Kills the group at once.
    void kill();

    bool has_ended() const noexcept { return child_.has_ended(); }

    /// After has_ended(): reads what is left, collects the process, reports its end.
    void collect();

    /// Kills and collects the process without a word to the owner, who is going away.
    void abandon() noexcept;

    int group() const noexcept { return child_.pid(); }

private:
    struct stream {
        boost::asio::posix::stream_descriptor descriptor;
        std::function<void(std::string_view)> sink;
        bool is_open = false;
        std::array<char, 64 * 1024> buffer{};
    };

    void open(stream& from, unique_fd fd);
    void wait_to_read(stream& from);
    std::size_t read(stream& from);
    void drain(stream& from);
    void arm(std::chrono::milliseconds delay, std::function<void()> action);
    void end(ending cause);
    void explain_then_end();
    void terminate();

    process child_;
    worker_limits limits_;
    std::function<void(const worker_end&)> on_end_;
    stream output_;
    stream messages_;
    boost::asio::steady_timer timer_;
    ending cause_ = ending::by_itself;
    bool is_ending_ = false;
    bool is_collected_ = false;
    std::chrono::steady_clock::time_point started_;
};

} // namespace bridge::cli
