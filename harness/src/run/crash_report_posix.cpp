// SPDX-License-Identifier: Apache-2.0
// Only what is async-signal-safe, or has been done once before: backtrace() loads its library when
// it is first called.
#include "run/crash_report.hpp"

#include "record/output.hpp"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bridge::harness {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitizer_reports = true; // crashes, by itself
#else
constexpr bool sanitizer_reports = false;
#endif

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

constexpr int most_frames = 64;
constexpr int most_threads = 64;
constexpr unsigned longest_report = 5; // seconds
constexpr int asking_signal = SIGURG; // ignored by default: nobody misses it in a process that dies

constinit std::atomic<int> crashed_thread{0};
constinit std::atomic<int> asked_thread{0};
constinit std::atomic<int> crash_number{0};

int this_thread() noexcept {
    return static_cast<int>(::syscall(SYS_gettid));
}

void say(std::string_view text) noexcept {
    write_all(STDERR_FILENO, text.data(), text.size());
}

void say_number(std::uintptr_t number, int base = 10) noexcept {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, number, base).ptr;
    say({text, static_cast<std::size_t>(end - text)});
}

// "1234 (name)"
void say_thread(int thread) noexcept {
    say_number(static_cast<std::uintptr_t>(thread));
    char path[48] = "/proc/self/task/";
    auto* end = std::to_chars(path + std::strlen(path), path + 32, thread).ptr;
    std::memcpy(end, "/comm", sizeof "/comm");
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    char name[32];
    const auto size = file < 0 ? 0 : ::read(file, name, sizeof name);
    ::close(file);
    if (size <= 1)
        return;
    say(" (");
    say({name, static_cast<std::size_t>(size) - 1}); // without its line end
    say(")");
}

void say_stack() noexcept {
    void* frames[most_frames];
    ::backtrace_symbols_fd(frames, ::backtrace(frames, most_frames), STDERR_FILENO);
}

// In a thread that was asked where it is.
void answer(int) {
    const int before = errno;
    int self = this_thread();
    if (asked_thread == self) {
        say_stack();
        asked_thread.compare_exchange_strong(self, 0);
    }
    errno = before;
}

// A thread that blocks every signal cannot answer.
void ask(int thread) noexcept {
    constexpr int most_looks = 200;
    constexpr timespec a_while{0, 1'000'000};
    say("C++ stack of thread ");
    say_thread(thread);
    say(", innermost first:\n");
    asked_thread = thread;
    if (::syscall(SYS_tgkill, ::getpid(), thread, asking_signal) != 0)
        asked_thread = 0;
    for (int look = 0; look < most_looks && asked_thread != 0; ++look)
        ::nanosleep(&a_while, nullptr);
    if (asked_thread.exchange(0) != 0)
        say("  it does not answer\n");
}

// Calls f(thread) for each other one.
template<class F>
void for_each_other_thread(const F& f) noexcept {
    struct entry { // linux_dirent64
        std::uint64_t inode;
        std::int64_t offset;
        unsigned short size;
        unsigned char type;
        char name[1];
    };

    const int folder = ::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    alignas(entry) char buffer[2048];
    int left = most_threads;
    for (;;) {
        const auto size = ::syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (size <= 0)
            break;
        for (long at = 0; at < size; at += reinterpret_cast<const entry*>(buffer + at)->size) {
            const auto* name = buffer + at + offsetof(entry, name);
            int thread = 0;
            std::from_chars(name, name + std::strlen(name), thread);
            if (thread != 0 && thread != this_thread() && left-- > 0)
                f(thread);
        }
    }
    ::close(folder);
}

// The report hangs, as where the thread holds a lock that it needs: the signal then ends it.
void give_up(int) {
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

void say_what(const fatal_signal& what, const siginfo_t& info) noexcept {
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
    say("; its C++ stack, innermost first:\n");
    say_stack();
}

void explain_addresses() noexcept {
    say("(addr2line -Cfipe PROGRAM 0x... says the function and line of each PROGRAM(+0x...))\n\n");
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
    limit_report();
    say_what(*what, *info);
    catch_by(asking_signal, &answer);
    for_each_other_thread(&ask);
    explain_addresses();
    ::alarm(0);
    go_on(*what, info, context);
}

} // namespace

void report_crashes() {
    if (sanitizer_reports)
        return;
    void* frames[1];
    ::backtrace(frames, 1);
    for (auto& one : fatal_signals) {
        struct sigaction action {};

        action.sa_sigaction = &report;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        ::sigaction(one.number, &action, &one.before);
    }
}

} // namespace bridge::harness
