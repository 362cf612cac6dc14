// SPDX-License-Identifier: Apache-2.0
// Single keys that a person types while tests run.
#pragma once

#include <functional>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <termios.h>

namespace bridge::cli {

/// Tells each key as it is typed, without an echo, while stdin and stdout are a terminal and we
/// are in its foreground. Ctrl-C and its kin stay signals. What the terminal was like is restored
/// at the end.
class keyboard {
public:
    keyboard(boost::asio::io_context& context, std::function<void(char)> on_key);
    keyboard(const keyboard&) = delete;
    keyboard& operator=(const keyboard&) = delete;

    ~keyboard() { leave(); }

    /// Begins again after leave(), if that is possible by now.
    void enter();

    /// The terminal is as it was, and what is typed is somebody else's.
    void leave() noexcept;

private:
    bool is_in_foreground() noexcept;
    void wait();
    void read();

    boost::asio::posix::stream_descriptor terminal_;
    std::optional<termios> before_; ///< while we read
    std::function<void(char)> on_key_;
};

} // namespace bridge::cli
