// SPDX-License-Identifier: Apache-2.0
// What the supervisor knows of a running child, whatever runs in it.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "children/escalation.hpp"

namespace bridge::cli {

struct worker_end {
    exit_status status;
    ending cause = ending::by_itself;
    bool left_processes = false; ///< something else still held a pipe open
    std::chrono::nanoseconds duration{0};
    int stop_signal = 0; ///< by which it was stopped when its time was over
};

/// What the owner of a worker, or of a session's test, wants to hear; `end` comes last and once.
struct worker_sinks {
    std::function<void(std::string_view)> output;
    std::function<void(std::string_view)> messages;
    std::function<void(const worker_end&)> end;
};

class child {
public:
    virtual ~child() = default;

    /// Asks what runs in it to write where it is, if it knows how.
    virtual void ask() = 0;

    /// Asks it to end, and kills it if it does not.
    virtual void stop() = 0;

    /// Kills it at once.
    virtual void kill() = 0;

    /// Stops it and its time, until resume() tells how long that was.
    virtual void pause() = 0;
    virtual void resume(std::chrono::nanoseconds stopped) = 0;

    virtual bool has_ended() const noexcept = 0;

    /// After has_ended(): reads what is left, collects the process, reports its end.
    virtual void collect() = 0;

    /// Kills and collects the process without a word to the owner, who is going away.
    virtual void abandon() noexcept = 0;

    virtual process_group group() const noexcept = 0;
};

} // namespace bridge::cli
