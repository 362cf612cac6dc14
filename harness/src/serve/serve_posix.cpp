// SPDX-License-Identifier: Apache-2.0
// batch: the tests share this process. fork: each has a copy of it, made before any thread was.
#include "serve/serve.hpp"

#include "choose/selection.hpp"
#include "run/early_exit.hpp"
#include "run/exit_now.hpp"
#include "run/run_all.hpp"
#include "run/test_runner.hpp"
#include "serve/serving_channel.hpp"

#include <bridge/protocol/exit_code.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#    include <sys/prctl.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <system_error>
#include <utility>

namespace bridge::harness {
namespace {

namespace fs = std::filesystem;

int serve_batch(const std::vector<registered_test>& tests, const command_line& options) {
    std::optional<exit_guard> guard;
    std::optional<python_side> python(std::in_place, options);
    serving_channel channel(options.control_fd);
    test_runner loop(*python, options); // before there are threads, as in run_in()
    python->start_runtime();
    watch_exits();
    while (const auto command = channel.receive()) {
        python->set_variable("BRIDGE_TEST_ID", command->id);
        const auto result = loop.run(require_test(tests, command->id), command->timeout, nullptr);
        python->flush();
        python->keep();
        std::fflush(nullptr);
        if (result == protocol::outcome::timed_out)
            end_timed_out();
        if (loop.is_interrupted())
            return protocol::interrupted_exit;
        channel.send(protocol::test_done{});
    }
    const int code = running_test::late_failures() > 0 ? protocol::failed_exit : 0;
    guard.emplace(code);
    python.reset();
    return code;
}

// Empty if a copy of this process would be a whole one.
std::string why_not_fork() {
    std::error_code error;
    std::size_t threads = 0;
    for (fs::directory_iterator one("/proc/self/task", error), end; !error && one != end;
         one.increment(error))
        ++threads;
    if (threads == 0)
        return "this system does not tell how many threads run";
    if (threads > 1)
        return std::to_string(threads) + " threads run before the first test, and a fork would "
                                         "have only one of them";
    return {};
}

// What a test left behind comes to us, to be ended here, wherever it has moved to.
void adopt_orphans() {
#ifdef __linux__
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

std::vector<int> children() {
    std::ifstream file("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    std::vector<int> all;
    for (int pid = 0; file >> pid;)
        all.push_back(pid);
    return all;
}

bool has_ended(int pid) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid;
}

void collect(int pid) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

// Whether there was anybody. What is killed may leave its own children to us: until none comes.
bool end_orphans(int leader) {
    bool any = false;
    for (;;) {
        auto all = children();
        std::erase(all, leader);
        if (all.empty())
            return any;
        for (int one : all) {
            any = any || !has_ended(one);
            ::kill(one, SIGKILL);
            collect(one);
        }
    }
}

// The test begins when the runner can know which process it is in, to stop and to end it.
class start_gate {
public:
    start_gate() {
        if (::pipe(ends_) != 0)
            throw std::system_error(errno, std::generic_category(), "cannot create a pipe");
    }

    start_gate(const start_gate&) = delete;
    start_gate& operator=(const start_gate&) = delete;

    ~start_gate() { open(); }

    void open() noexcept {
        for (int& one : ends_)
            if (one >= 0)
                ::close(std::exchange(one, -1));
    }

    /// In the fork, whose own ends are closed with that.
    void wait() noexcept {
        ::close(std::exchange(ends_[1], -1));
        char none = 0;
        while (::read(ends_[0], &none, 1) < 0 && errno == EINTR) {
        }
        open();
    }

private:
    int ends_[2];
};

constinit int ending_code = protocol::internal_exit;
constinit pid_t ending_process = 0;

// What was there before the fork, static objects and exit handlers, is not the test's to end. What
// it has made and registered itself is ended by exit(), in the reverse order: up to here.
void end_before_the_parents() {
    if (::getpid() != ending_process)
        return; // what the test has forked ends as it would anywhere
    std::cout.flush();
    std::clog.flush();
    std::fflush(nullptr);
    exit_now(ending_code);
}

class fork_server {
public:
    fork_server(const std::vector<registered_test>& tests, const command_line& options)
        : tests_(tests), options_(options), python_(options), channel_(options.control_fd) {}

    int run() {
        python_.warm_up();
        if (const auto reason = why_not_fork(); !reason.empty()) {
            channel_.send(protocol::serving_refused{reason});
            return 0;
        }
        adopt_orphans();
        while (const auto command = channel_.receive()) {
            collect_last();
            serve(*command);
        }
        collect_last();
        return 0;
    }

private:
    void serve(const protocol::run_command& command) {
        const auto test = require_test(tests_, command.id);
        std::fflush(nullptr);
        start_gate gate;
        const auto server = ::getpid();
        const int pid = python_.fork();
        if (pid < 0)
            throw std::system_error(errno, std::generic_category(), "cannot fork");
        if (pid == 0) {
            gate.wait();
            run_child(test, command, server);
        }
        ::setpgid(pid, pid); // here too: the runner must not signal a group that is not there yet
        last_ = pid;
        channel_.send(protocol::process_started{pid});
        gate.open();
        channel_.send(wait_for(pid));
    }

    // Leaves a zombie: its number must not be anybody else's while the runner may signal it.
    static protocol::process_ended wait_for(int pid) {
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 &&
               errno == EINTR) {
        }
        const bool left = end_orphans(pid);
        ::kill(-pid, SIGKILL);
        return {info.si_code != CLD_EXITED, info.si_status, left};
    }

    void collect_last() {
        if (last_ > 0)
            collect(last_);
        last_ = 0;
    }

    [[noreturn]] void run_child(const registered_test& test, const protocol::run_command& command,
                                int server) {
        ::setpgid(0, 0);
#ifdef __linux__
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        if (::getppid() != server) // it died before the line above
            ::_exit(protocol::internal_exit);
        ending_process = ::getpid();
        std::atexit(&end_before_the_parents);
        channel_.close();
        python_.set_variable("BRIDGE_TEST_ID", test.info.id);
        auto options = options_;
        options.exact = {test.info.id};
        options.timeout = command.timeout;
        ending_code = run_in(python_, {test}, options);
        const exit_guard guard(ending_code);
        python_.end_without_finalizing();
        std::exit(ending_code);
    }

    const std::vector<registered_test>& tests_;
    const command_line& options_;
    python_side python_;
    serving_channel channel_;
    int last_ = 0;
};

} // namespace

int serve_tests(const std::vector<registered_test>& tests, const command_line& options) {
    if (options.serve == serving::batch)
        return serve_batch(tests, options);
    return fork_server(tests, options).run();
}

} // namespace bridge::harness
