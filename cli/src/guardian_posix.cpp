// SPDX-License-Identifier: Apache-2.0
// The guardian's process: reads group numbers, waits for the end, kills.
#include "guardian.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bridge::cli {

namespace {

bool read_message(int fd, int& message) {
    ssize_t size;
    do
        size = ::read(fd, &message, sizeof message);
    while (size < 0 && errno == EINTR);
    return size == sizeof message;
}

// Nobody must wait for us: not the terminal, not a reader of the runner's output.
void leave_everything_but(int pipe) {
    ::setsid();
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
        ::signal(number, SIG_IGN);
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(null, fd);
    const long limit = std::min(::sysconf(_SC_OPEN_MAX), 1024L);
    for (int fd = STDERR_FILENO + 1; fd < limit; ++fd)
        if (fd != pipe)
            ::close(fd);
}

[[noreturn]] void guard(int pipe) {
    leave_everything_but(pipe);
    std::vector<int> groups;
    int message = 0;
    while (read_message(pipe, message)) {
        if (message > 0)
            groups.push_back(message);
        else
            groups.erase(std::remove(groups.begin(), groups.end(), -message), groups.end());
    }
    for (int group : groups)
        ::kill(-group, SIGKILL);
    ::_exit(0);
}

} // namespace

guardian::guardian() {
    int fds[2];
    if (::pipe(fds) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot create a pipe");
    unique_fd read(fds[0]);
    pipe_ = unique_fd(fds[1]);
    ::fcntl(pipe_.get(), F_SETFD, FD_CLOEXEC);
    pid_ = ::fork();
    if (pid_ < 0)
        throw std::system_error(errno, std::generic_category(), "cannot start a process");
    if (pid_ == 0) {
        ::close(fds[1]);
        guard(read.release());
    }
}

guardian::~guardian() {
    pipe_ = {};
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void guardian::tell(int message) noexcept {
    // Fails only when the guardian was killed: the runner then lives without a net.
    [[maybe_unused]] const auto written = ::write(pipe_.get(), &message, sizeof message);
}

} // namespace bridge::cli
