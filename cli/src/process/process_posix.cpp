// SPDX-License-Identifier: Apache-2.0
// Child processes by fork and exec: groups, descriptors, parent-death signal.
#include "process/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#    include <sys/prctl.h>
#endif

extern char** environ;

namespace bridge::cli {

namespace {

// Our descriptors live above the numbers that a child's are moved to.
constexpr int first_own_descriptor = 10;

[[noreturn]] void throw_errno(int number, const std::string& doing) {
    throw std::system_error(number, std::generic_category(), doing);
}

unique_fd move_up(int fd) {
    unique_fd low(fd);
    unique_fd high(::fcntl(low.get(), F_DUPFD_CLOEXEC, first_own_descriptor));
    if (high.get() < 0)
        throw_errno(errno, "cannot duplicate a descriptor");
    return high;
}

struct pipe_ends {
    unique_fd read;
    unique_fd write;
};

pipe_ends make_pipe() {
    int fds[2];
    if (::pipe(fds) != 0)
        throw_errno(errno, "cannot create a pipe");
    unique_fd second(fds[1]);
    pipe_ends ends{move_up(fds[0]), {}};
    ends.write = move_up(second.release());
    return ends;
}

// Both ends go both ways.
pipe_ends make_socket() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        throw_errno(errno, "cannot create a socket");
    unique_fd second(fds[1]);
    pipe_ends ends{move_up(fds[0]), {}};
    ends.write = move_up(second.release());
    return ends;
}

void set_nonblocking(const unique_fd& fd) {
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

std::vector<char*> to_argv(const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const auto& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    return argv;
}

bool sets_same_name(std::string_view left, std::string_view right) {
    return left.substr(0, left.find('=')) == right.substr(0, right.find('='));
}

std::vector<char*> to_envp(const std::vector<std::string>& additions) {
    std::vector<char*> envp;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        bool is_replaced = false;
        for (const auto& addition : additions)
            is_replaced = is_replaced || sets_same_name(addition, *entry);
        if (!is_replaced)
            envp.push_back(*entry);
    }
    for (const auto& addition : additions)
        envp.push_back(const_cast<char*>(addition.c_str()));
    envp.push_back(nullptr);
    return envp;
}

// Everything that the child needs, prepared before the fork: afterwards only
// async-signal-safe calls are made.
struct child_plan {
    const char* program;
    const char* working_directory;
    std::vector<char*> argv;
    std::vector<char*> envp;
    int output = -1;
    int errors = -1;
    int events = -1;
    int control = -1;
    int failure = -1;
    pid_t parent = 0;
};

// What the child tells through the failure pipe, if it could not become the program.
struct child_failure {
    int number = 0;
    bool is_about_folder = false;
};

[[noreturn]] void give_up(const child_plan& plan, bool is_about_folder = false) {
    const child_failure failure{errno, is_about_folder};
    [[maybe_unused]] const auto written = ::write(plan.failure, &failure, sizeof failure);
    ::_exit(127);
}

// Blocks all signals while it lives: between fork and exec the parent's handlers must not run
// in the child, which shares the pipe that they write to.
class signal_block {
public:
    signal_block() {
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, &before_);
    }

    ~signal_block() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

    signal_block(const signal_block&) = delete;
    signal_block& operator=(const signal_block&) = delete;

private:
    sigset_t before_;
};

void reset_signals() {
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
        struct sigaction action {};

        ::sigaction(number, nullptr, &action);
        if (action.sa_handler != SIG_IGN)
            ::signal(number, SIG_DFL);
    }
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void die_with_parent([[maybe_unused]] const child_plan& plan) {
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) // it died before the line above
        ::_exit(127);
#endif
}

// In the group that it gets it would be stopped when it sets the terminal or reads from it, as what
// runs in a shell's background. Ctrl-C and Ctrl-Z come from us.
void leave_terminal() {
    const int terminal = ::open("/dev/tty", O_RDWR | O_NOCTTY);
    if (terminal < 0)
        return;
    ::ioctl(terminal, TIOCNOTTY);
    ::close(terminal);
}

void connect(const child_plan& plan, int from, int to) {
    if (from >= 0 && ::dup2(from, to) < 0)
        give_up(plan);
}

[[noreturn]] void run_child(const child_plan& plan) {
    leave_terminal();
    ::setpgid(0, 0);
    die_with_parent(plan);
    reset_signals();
    const int null = ::open("/dev/null", O_RDWR);
    if (null < 0)
        give_up(plan);
    connect(plan, null, STDIN_FILENO);
    if (null > STDERR_FILENO)
        ::close(null);
    connect(plan, plan.output, STDOUT_FILENO);
    connect(plan, plan.errors, STDERR_FILENO);
    connect(plan, plan.events, event_descriptor);
    connect(plan, plan.control, control_descriptor);
    if (plan.working_directory[0] != '\0' && ::chdir(plan.working_directory) != 0)
        give_up(plan, true);
    ::execve(plan.program, plan.argv.data(), plan.envp.data());
    give_up(plan);
}

pid_t fork_child(const child_plan& plan) {
    const signal_block block;
    const pid_t pid = ::fork();
    if (pid == 0)
        run_child(plan);
    if (pid < 0)
        throw_errno(errno, "it cannot be started");
    return pid;
}

// Number zero when the program runs, else why it does not.
child_failure read_failure(const unique_fd& pipe) {
    child_failure failure;
    ssize_t size;
    do
        size = ::read(pipe.get(), &failure, sizeof failure);
    while (size < 0 && errno == EINTR);
    return size == sizeof failure ? failure : child_failure{};
}

std::string signal_name(int number) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
    if (const char* name = ::sigabbrev_np(number))
        return std::string("SIG") + name;
#endif
    const char* text = ::strsignal(number);
    return text != nullptr ? text : "unknown";
}

} // namespace

unique_fd::~unique_fd() {
    if (fd_ >= 0)
        ::close(fd_);
}

std::string describe_signal(int number) {
    return "signal " + std::to_string(number) + " (" + signal_name(number) + ")";
}

std::string exit_status::describe() const {
    return by_signal ? describe_signal(number) : "exit code " + std::to_string(number);
}

void replace_process(const command& what) {
    const auto argv = to_argv(what.program, what.arguments);
    const auto envp = to_envp(what.environment);
    if (!what.working_directory.empty() && ::chdir(what.working_directory.c_str()) != 0)
        throw_errno(errno,
                    "its working directory " + what.working_directory + " cannot be entered");
    reset_signals();
    ::execve(what.program.c_str(), argv.data(), envp.data());
    throw_errno(errno, "it cannot be started");
}

process::process(const command& what, wiring how) {
    auto failure = make_pipe();
    child_plan plan{what.program.c_str(), what.working_directory.c_str(),
                    to_argv(what.program, what.arguments), to_envp(what.environment)};
    pipe_ends out, both_ways, second = make_pipe();
    if (how != wiring::uncaptured_test && how != wiring::uncaptured_session)
        out = make_pipe();
    if (how == wiring::captured_session || how == wiring::uncaptured_session)
        both_ways = make_socket();
    plan.output = out.write.get();
    plan.errors = how == wiring::listing ? second.write.get() : out.write.get();
    plan.events = how == wiring::listing ? -1 : second.write.get();
    plan.control = both_ways.write.get();
    plan.failure = failure.write.get();
    plan.parent = ::getpid();

    pid_ = fork_child(plan);
    failure.write = {};
    // Waiting for the exec means that no child ever holds another's pipes when one ends.
    if (const auto told = read_failure(failure.read); told.number != 0) {
        ::waitpid(pid_, nullptr, 0);
        throw_errno(told.number,
                    told.is_about_folder
                        ? "its working directory " + what.working_directory + " cannot be entered"
                        : "it cannot be started");
    }
    output = std::move(out.read);
    messages = std::move(second.read);
    control = std::move(both_ways.read);
    for (const auto* fd : {&output, &messages, &control})
        if (fd->get() >= 0)
            set_nonblocking(*fd);
}

void process_group::signal(int number) const noexcept {
    if (leader_ <= 0)
        return;
    ::kill(-leader_, number);
    if (::getpgid(leader_) != leader_) // it has moved to another group
        ::kill(leader_, number);
}

void process_group::signal_leader(int number) const noexcept {
    if (leader_ > 0)
        ::kill(leader_, number);
}

bool process_group::leader_catches(int number) const {
    std::ifstream status("/proc/" + std::to_string(leader_) + "/status"); // Linux
    constexpr std::string_view key = "SigCgt:";
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key))
            return (std::strtoull(line.c_str() + key.size(), nullptr, 16) >> (number - 1) & 1) != 0;
    return false;
}

int process_group::stop_signal() const noexcept {
    siginfo_t info{};
    const bool is_told = leader_ > 0 && ::waitid(P_PID, static_cast<id_t>(leader_), &info,
                                                 WSTOPPED | WNOHANG | WNOWAIT) == 0;
    return is_told && info.si_pid == leader_ ? info.si_status : 0;
}

bool process::has_ended() const noexcept {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
}

exit_status process::reap() noexcept {
    // Before the wait: the zombie keeps the group's number from being given to strangers.
    group().signal(SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status))
        return {true, WTERMSIG(status)};
    return {false, WEXITSTATUS(status)};
}

} // namespace bridge::cli
