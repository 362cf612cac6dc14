// SPDX-License-Identifier: Apache-2.0
// The guardian's process: reads group numbers, waits for the end, kills.
#include "process/guardian.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bridge::cli {

namespace {

constexpr int most_rounds = 1000;

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
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1})
        ::signal(number, SIG_IGN);
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(null, fd);
    const long limit = std::min(::sysconf(_SC_OPEN_MAX), 1024L);
    for (int fd = STDERR_FILENO + 1; fd < limit; ++fd)
        if (fd != pipe)
            ::close(fd);
}

// Whether a process has this entry in its environment, as it was when its program started.
bool has_entry(const std::string& folder, const std::string& entry) {
    std::ifstream file(folder + "/environ", std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    for (auto at = text.find(entry); at != std::string::npos; at = text.find(entry, at + 1))
        if ((at == 0 || text[at - 1] == '\0') && text.c_str()[at + entry.size()] == '\0')
            return true;
    return false;
}

// Kills those that are marked; false when there is none. A zombie has no environment any more.
bool kill_marked(const std::string& mark) {
    bool any = false;
    std::error_code error;
    for (std::filesystem::directory_iterator one("/proc", error), end; !error && one != end;
         one.increment(error)) {
        const int pid = std::atoi(one->path().filename().c_str());
        if (pid <= 1 || pid == ::getpid() || !has_entry(one->path().string(), mark))
            continue;
        any = ::kill(pid, SIGKILL) == 0 || any;
    }
    return any;
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
    // What is forked while we look is found the next time.
    for (int round = 0; round < most_rounds && kill_marked(run_mark()); ++round) {
    }
    ::_exit(0);
}

} // namespace

const std::string& run_mark() {
    static const auto mark = fmt::format("BRIDGE_TEST_RUN={}.{:08x}{:08x}", ::getpid(),
                                         std::random_device()(), std::random_device()());
    return mark;
}

guardian::guardian() {
    run_mark(); // the same in the helper
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
