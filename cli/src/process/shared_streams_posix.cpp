// SPDX-License-Identifier: Apache-2.0
#include "process/shared_streams.hpp"

#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace bridge::cli {

namespace {

constexpr int first_kept_descriptor = 10; // below are those that tests get

unique_fd open_terminal() {
    const unique_fd low(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
    return unique_fd(low.get() < 0 ? -1
                                   : ::fcntl(low.get(), F_DUPFD_CLOEXEC, first_kept_descriptor));
}

std::optional<termios> settings_of(const unique_fd& terminal) {
    termios settings{};
    if (terminal.get() < 0 || ::tcgetattr(terminal.get(), &settings) != 0)
        return std::nullopt;
    return settings;
}

bool are_equal(const termios& left, const termios& right) {
    return left.c_iflag == right.c_iflag && left.c_oflag == right.c_oflag &&
           left.c_cflag == right.c_cflag && left.c_lflag == right.c_lflag &&
           std::memcmp(left.c_cc, right.c_cc, sizeof left.c_cc) == 0;
}

// Reading and writing are of no interest, and cannot be set.
void restore_flags(int fd, int flags) {
    if (flags >= 0 && ::fcntl(fd, F_GETFL) != flags)
        ::fcntl(fd, F_SETFL, flags);
}

} // namespace

shared_streams::shared_streams()
    : terminal_(open_terminal()), settings_(settings_of(terminal_)),
      output_flags_(::fcntl(STDOUT_FILENO, F_GETFL)),
      error_flags_(::fcntl(STDERR_FILENO, F_GETFL)) {}

void shared_streams::restore() const noexcept {
    restore_flags(STDOUT_FILENO, output_flags_);
    restore_flags(STDERR_FILENO, error_flags_);
    const auto now = settings_of(terminal_);
    if (settings_ && now && !are_equal(*settings_, *now) &&
        ::tcgetpgrp(terminal_.get()) == ::getpgrp())
        ::tcsetattr(terminal_.get(), TCSANOW, &*settings_);
}

} // namespace bridge::cli
