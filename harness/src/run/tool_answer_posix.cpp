// SPDX-License-Identifier: Apache-2.0
// In a child of the process, as LLVM's handler of crashes does it: that works under every runner
// and without one. Only what is async-signal-safe.
#include "run/tool_answer.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace bridge::harness {
namespace {

// Without what fork() does around it: the locks that it takes may be held by who has crashed. Its
// end raises no SIGCHLD, for which a test may have a handler.
pid_t fork_silently() noexcept {
    return static_cast<pid_t>(::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
}

void limit_by(int resource, rlim_t most) noexcept {
    const rlimit limit{most, most + 1}; // at the second one it would be SIGKILL
    ::setrlimit(resource, &limit);
}

// Signals end it at these, whatever the test has made of them.
void limit_time(std::chrono::seconds wait) noexcept {
    ::signal(SIGALRM, SIG_DFL);
    ::signal(SIGXCPU, SIG_DFL);
    limit_by(RLIMIT_CORE, 0);
    limit_by(RLIMIT_CPU, longest_work.count());
    ::alarm(static_cast<unsigned>(wait.count()));
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
}

[[noreturn]] void become_tool(char** words, int out, std::chrono::seconds wait) noexcept {
    limit_time(wait);
    const int nobody = ::open("/dev/null", O_RDWR);
    ::dup2(nobody, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(nobody, STDERR_FILENO);
    ::execve(words[0], words, environ);
    for (;;)
        ::syscall(SYS_exit_group, 127);
}

// Up to the last line end: a line that was cut short would name a wrong line or file.
std::string_view read_lines(int from, char* into, std::size_t room) noexcept {
    std::size_t size = 0;
    while (size < room) {
        const auto more = ::read(from, into + size, room - size);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        size += static_cast<std::size_t>(more);
    }
    const std::string_view all(into, size);
    return all.substr(0, all.rfind('\n') + 1);
}

bool was_ended_by_limit(int status) noexcept {
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU);
}

} // namespace

tool_answer ask_tool(char** words, char* into, std::size_t room,
                     std::chrono::seconds waited) noexcept {
    int ends[2];
    const auto left = std::max(longest_wait - waited, std::chrono::seconds(1));
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return {{}, true};
    const auto child = fork_silently();
    if (child == 0)
        become_tool(words, ends[1], left);
    ::close(ends[1]);
    const auto said = child > 0 ? read_lines(ends[0], into, room) : std::string_view();
    ::close(ends[0]);
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, __WALL) < 0 && errno == EINTR) {
    }
    return {said, !was_ended_by_limit(status)};
}

} // namespace bridge::harness
