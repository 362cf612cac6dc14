// SPDX-License-Identifier: Apache-2.0
// The binary's end of the control socket.
#pragma once

#include <bridge/protocol/serving.hpp>

#include <optional>
#include <string>

namespace bridge::harness {

class serving_channel {
public:
    /// Takes the descriptor over, out of the way of tests and of the programs that they start.
    explicit serving_channel(int descriptor);
    ~serving_channel();
    serving_channel(const serving_channel&) = delete;
    serving_channel& operator=(const serving_channel&) = delete;

    /// Waits for a command, without the GIL; nothing when the runner has closed its end or went
    /// away. Throws protocol_error.
    std::optional<protocol::run_command> receive();

    void send(const protocol::serving_event& event);

    /// In a fork, which has no say here.
    void close() noexcept;

private:
    int descriptor_;
    std::string pending_;
};

} // namespace bridge::harness
