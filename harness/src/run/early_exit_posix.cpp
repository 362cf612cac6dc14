// SPDX-License-Identifier: Apache-2.0
// _exit, _Exit, raise and kill of the C library, shadowed: calls from any library, Python's
// os._exit too, come to the program's own symbol first.
#include "run/early_exit.hpp"

#include "record/output.hpp"
#include "run/code_lines.hpp"
#include "run/explaining.hpp"
#include "run/python_stacks.hpp"
#include "run/unfinished_test.hpp"

#include <bridge/protocol/exit_code.hpp>

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bridge::harness {
namespace {

using exit_function = void (*)(int);

constinit std::atomic<pid_t> watched{0};
constinit std::atomic<int> ordered{protocol::failed_exit};
constinit std::atomic<bool> is_over{false};

// The next one in the order of loading: the C library's, or a sanitizer's before it.
exit_function next_exit() noexcept {
    static const auto next = reinterpret_cast<exit_function>(::dlsym(RTLD_NEXT, "_exit"));
    return next;
}

// Where the user's own code has called it, which is still on this thread's stack.
std::string_view place_of_call() noexcept {
    if (sanitizer_has_stacks)
        return {};
    const explaining now;
    stack_frames stack;
    take_own_stack(nullptr, stack);
    code_lines lines;
    lines.add(stack);
    lines.ask();
    if (const auto place = lines.users_line(stack); !place.empty())
        return place;
    take_python_stacks(SIGQUIT);
    return python_place_of(0);
}

// Async-signal-safe: _exit may be called where nothing else may.
void complain(const char* function) noexcept {
    const char* id = unfinished_test::id();
    say("FAILED ");
    say(id != nullptr ? id : "the run");
    say(": ");
    say(function);
    say(id != nullptr ? " was called before the test had finished"
        : is_over     ? " was called when the tests had ended"
                      : " was called before the tests had ended");
    const auto place = place_of_call();
    if (!place.empty())
        say(", at ");
    say(place);
    say("\n");
    unfinished_test::tell_end({function, place.empty() ? " was called" : " was called at ", place});
}

bool is_watched() noexcept {
    return watched == ::getpid();
}

// In a function registered with atexit the code is not known: only main may exit.
void refuse_exit() {
    if (!is_watched() || is_over)
        return;
    std::fflush(nullptr);
    set_ending();
    complain("exit()");
    next_exit()(protocol::failed_exit);
}

int allowed_code(int code) noexcept {
    if (!is_watched() || (is_over && code == ordered))
        return code;
    if (!is_ending()) {
        set_ending();
        complain("_exit()");
    }
    return code == 0 || code == protocol::skipped_exit ? ordered.load() : code;
}

// Whether the signal ends the process, and nobody is told before.
bool is_deadly(int signal) noexcept {
    for (const int one :
         {0, SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU})
        if (signal == one)
            return false;

    struct sigaction now {};

    return ::sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
           now.sa_handler == SIG_DFL;
}

void notice_signal(const char* function, int signal) noexcept {
    if (is_watched() && !is_ending() && is_deadly(signal))
        complain(function);
}

bool is_ours(pid_t process) noexcept {
    return process == ::getpid() || process == 0 || process == -1 || process == -::getpgrp();
}

template<class Function>
Function next_function(const char* name) noexcept {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

} // namespace

void watch_exits() {
    next_exit();
    watched = ::getpid();
    std::atexit(&refuse_exit);
    std::at_quick_exit(&refuse_exit);
}

void order_exit(int code) noexcept {
    ordered = code;
    is_over = true;
}

} // namespace bridge::harness

extern "C" {

[[gnu::visibility("default")]] void _exit(int code) {
    bridge::harness::next_exit()(bridge::harness::allowed_code(code));
    std::abort();
}

[[gnu::visibility("default")]] void _Exit(int code) noexcept {
    ::_exit(code);
}

[[gnu::visibility("default")]] int raise(int signal) noexcept {
    static const auto next = bridge::harness::next_function<int (*)(int)>("raise");
    bridge::harness::notice_signal("raise()", signal);
    return next(signal);
}

[[gnu::visibility("default")]] int kill(pid_t process, int signal) noexcept {
    static const auto next = bridge::harness::next_function<int (*)(pid_t, int)>("kill");
    if (bridge::harness::is_ours(process))
        bridge::harness::notice_signal("kill()", signal);
    return next(process, signal);
}
}
