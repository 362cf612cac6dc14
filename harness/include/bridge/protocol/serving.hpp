// SPDX-License-Identifier: Apache-2.0
// What a runner and a binary that runs many tests for it say to each other, one JSON object per
// line, over the control socket.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <bridge/protocol/error.hpp>

namespace bridge::protocol {

/// To the binary: run this test now. It comes when the one before it has ended.
struct run_command {
    std::string id;
    std::optional<std::chrono::milliseconds> timeout; ///< in place of the test's own
};

/// The binary cannot serve in the way that was asked for, and goes.
struct serving_refused {
    std::string message;
};

/// The test runs in this process, the leader of a group of its own.
struct process_started {
    int pid = 0;
};

/// That process has ended; its number is kept until the next command. `left` is whether it left
/// others behind, which have been killed.
struct process_ended {
    bool by_signal = false;
    int number = 0; ///< exit code or signal
    bool left = false;
};

/// The test has ended in the binary's own process, and its output is written.
struct test_done {};

using serving_event = std::variant<serving_refused, process_started, process_ended, test_done>;

/// One line with its line end.
std::string write_command(const run_command& value);
std::string write_serving_event(const serving_event& value);

/// Read one line (line end optional); throw protocol_error.
run_command parse_command(std::string_view line);
serving_event parse_serving_event(std::string_view line);

} // namespace bridge::protocol
