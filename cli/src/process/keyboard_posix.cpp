// SPDX-License-Identifier: Apache-2.0
#include "process/keyboard.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

#include "process/process.hpp"

namespace bridge::cli {

namespace {

constexpr int first_descriptor = 10; // below are those that tests get

// Opened anew: what is set for it, as that it does not block, is not set for those who share stdin.
int open_keyboard() {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
        return -1;
    const unique_fd low(::open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    return low.get() < 0 ? -1 : ::fcntl(low.get(), F_DUPFD_CLOEXEC, first_descriptor);
}

// Who reads in the background is stopped, if not for this: reading fails.
class background_reads_fail {
public:
    background_reads_fail() noexcept {
        sigset_t only;
        ::sigemptyset(&only);
        ::sigaddset(&only, SIGTTIN);
        ::sigprocmask(SIG_BLOCK, &only, &before_);
    }

    background_reads_fail(const background_reads_fail&) = delete;
    background_reads_fail& operator=(const background_reads_fail&) = delete;

    ~background_reads_fail() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

} // namespace

keyboard::keyboard(boost::asio::io_context& context, std::function<void(char)> on_key)
    : terminal_(context), on_key_(std::move(on_key)) {
    if (const int fd = open_keyboard(); fd >= 0)
        terminal_.assign(fd);
    enter();
}

bool keyboard::is_in_foreground() noexcept {
    return ::tcgetpgrp(terminal_.native_handle()) == ::getpgrp();
}

void keyboard::enter() {
    termios now{};
    if (!terminal_.is_open() || before_ || !is_in_foreground() ||
        ::tcgetattr(terminal_.native_handle(), &now) != 0)
        return;
    before_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    ::tcsetattr(terminal_.native_handle(), TCSANOW, &now);
    wait();
}

void keyboard::leave() noexcept {
    boost::system::error_code ignored;
    if (terminal_.is_open())
        terminal_.cancel(ignored);
    if (before_ && is_in_foreground())
        ::tcsetattr(terminal_.native_handle(), TCSANOW, &*before_);
    before_.reset();
}

void keyboard::wait() {
    terminal_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](boost::system::error_code error) {
                             if (!error && before_)
                                 read();
                         });
}

void keyboard::read() {
    std::array<char, 64> keys;
    ssize_t size = 0;
    {
        const background_reads_fail here;
        size = ::read(terminal_.native_handle(), keys.data(), keys.size());
    }
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
        return leave(); // the terminal has gone, or is others' now
    for (ssize_t i = 0; i < size; ++i)
        on_key_(keys[static_cast<std::size_t>(i)]);
    wait();
}

} // namespace bridge::cli
