// SPDX-License-Identifier: Apache-2.0
// What tests that are not captured share with us, with each other and with whoever started us.
#pragma once

#include <optional>

#include <termios.h>

#include "process/process.hpp"

namespace bridge::cli {

/// Knows how the terminal and the streams were when it was made: the terminal's settings, and
/// whether stdout and stderr block. A test may leave them otherwise, above all one that crashes.
class shared_streams {
public:
    shared_streams();
    shared_streams(const shared_streams&) = delete;
    shared_streams& operator=(const shared_streams&) = delete;

    ~shared_streams() { restore(); }

    /// The terminal only while it is ours to set: not in the background.
    void restore() const noexcept;

private:
    unique_fd terminal_;
    std::optional<termios> settings_;
    int output_flags_;
    int error_flags_;
};

} // namespace bridge::cli
