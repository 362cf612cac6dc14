// SPDX-License-Identifier: Apache-2.0
// Only what is async-signal-safe, or has been done once before: backtrace() loads its library when
// it is first called.
#include "run/crash_report.hpp"

#include "run/explaining.hpp"
#include "run/python_stacks.hpp"
#include "run/stack_report.hpp"
#include "run/unfinished_test.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string_view>

namespace bridge::harness {
namespace {

struct fatal_signal {
    int number;
    std::string_view name;

    struct sigaction before {};
};

constinit fatal_signal fatal_signals[] = {{SIGSEGV, "SIGSEGV"},
                                          {SIGBUS, "SIGBUS"},
                                          {SIGFPE, "SIGFPE"},
                                          {SIGILL, "SIGILL"},
                                          {SIGABRT, "SIGABRT"}};

constexpr unsigned longest_report = 70; // seconds: longer than addr2line has, by far

constinit std::atomic<int> crashed_thread{0};
constinit std::atomic<int> crash_number{0};
constinit stack_frames crashed_stack{};

// The report hangs, as where the thread holds a lock that it needs: the signal then ends it.
void give_up(int) {
    say_raw(crashed_stack);
    ::signal(crash_number, SIG_DFL);
    ::kill(::getpid(), crash_number);
}

void catch_by(int number, void (*handler)(int)) noexcept {
    struct sigaction action {};

    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
}

void limit_report() noexcept {
    catch_by(SIGALRM, &give_up);
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, SIGALRM);
    ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    ::alarm(longest_report);
}

void say_what(const fatal_signal& what, const siginfo_t& info, const void* context) noexcept {
    say("\nFatal signal ");
    say_number(static_cast<std::uintptr_t>(what.number));
    say(" (");
    say(what.name);
    say(")");
    if (info.si_code > 0) { // the processor's, not another process's or raise()
        say(" at address 0x");
        say_number(reinterpret_cast<std::uintptr_t>(info.si_addr), 16);
    }
    say(" in thread ");
    say_thread(this_thread());
    say("\n");
    take_own_stack(context, crashed_stack);
    say_stacks(&crashed_stack);
}

void tell_place() noexcept {
    take_python_stacks(SIGQUIT);
    const auto place = place_of_thread(this_thread());
    unfinished_test::tell_end(
        {place.empty() ? "its stacks are in its output" : "it was at ", place});
}

void go_on(const fatal_signal& what, siginfo_t* info, void* context) noexcept {
    const auto& before = what.before;
    if ((before.sa_flags & SA_SIGINFO) != 0)
        return before.sa_sigaction(what.number, info, context);
    if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
        return before.sa_handler(what.number);
    ::signal(what.number, SIG_DFL);
    ::raise(what.number);
}

void report(int number, siginfo_t* info, void* context) {
    const fatal_signal* what = fatal_signals;
    while (what->number != number)
        ++what;
    int nobody = 0;
    if (!crashed_thread.compare_exchange_strong(nobody, this_thread())) {
        if (nobody == this_thread()) // the report has crashed
            return go_on(*what, info, context);
        for (;;)
            ::pause(); // the other one ends us all
    }
    crash_number = number;
    set_ending();
    limit_report();
    say_what(*what, *info, context);
    tell_place();
    ::alarm(0);
    go_on(*what, info, context);
}

} // namespace

void report_crashes() {
    if (sanitizer_has_stacks)
        return;
    for (auto& one : fatal_signals) {
        struct sigaction action {};

        action.sa_sigaction = &report;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        ::sigaction(one.number, &action, &one.before);
    }
}

} // namespace bridge::harness
