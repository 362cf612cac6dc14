// SPDX-License-Identifier: Apache-2.0
// Only what is async-signal-safe, or has been done once before: backtrace() loads its library when
// it is first called.
#include "run/stacks.hpp"

#include "record/output.hpp"
#include "run/code_lines.hpp"

#include <bridge/detail/for_harness.hpp>

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bridge::harness {
namespace {

constexpr int most_threads = 64;
constexpr int asking_signal = SIGURG;

constinit std::atomic<int> asked_thread{0};
constinit std::atomic<bool> asks_for_place{false};
constinit bridge::detail::shared_place answered_place;
constinit std::atomic<const void*> answered_slot{nullptr};

// In a thread that was asked where it is.
void answer(int, siginfo_t*, void* context) {
    const int before = errno;
    int self = this_thread();
    if (asked_thread == self) {
        if (asks_for_place) {
            answered_place.store(bridge::detail::place_of_this_thread());
            answered_slot = bridge::detail::slot_of_this_thread();
        } else
            say_own_stack(context);
        asked_thread.compare_exchange_strong(self, 0);
    }
    errno = before;
}

// Where the thread was when the signal came; null if it is not known.
void* interrupted_at(const void* context) noexcept {
    if (context == nullptr)
        return nullptr;
    [[maybe_unused]] const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    return reinterpret_cast<void*>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return reinterpret_cast<void*>(machine.pc);
#else
    return nullptr;
#endif
}

// A thread that blocks every signal cannot answer.
bool ask(int thread) noexcept {
    constexpr int most_looks = 100;
    constexpr timespec a_while{0, 1'000'000};
    asked_thread = thread;
    if (::syscall(SYS_tgkill, ::getpid(), thread, asking_signal) != 0)
        return asked_thread = 0, false;
    for (int look = 0; look < most_looks && asked_thread != 0; ++look)
        ::nanosleep(&a_while, nullptr);
    return asked_thread.exchange(0) == 0;
}

void say_stack_of(int thread) noexcept {
    say("C++ stack of thread ");
    say_thread(thread);
    say(", innermost first:\n");
    if (!ask(thread))
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

} // namespace

int this_thread() noexcept {
    return static_cast<int>(::syscall(SYS_gettid));
}

void say(std::string_view text) noexcept {
    write_all(STDERR_FILENO, text.data(), text.size());
}

void say_number(std::uintptr_t number, int base) noexcept {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, number, base).ptr;
    say({text, static_cast<std::size_t>(end - text)});
}

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

void say_own_stack(const void* context, stack_frames& kept) noexcept {
    auto* end = kept.address + ::backtrace(kept.address, stack_frames::most);
    auto* begin = std::find(kept.address, end, interrupted_at(context));
    if (begin != end) // what is before is the handler's
        end = std::move(begin, end, kept.address);
    kept.size = static_cast<int>(end - kept.address);
    ::backtrace_symbols_fd(kept.address, kept.size, STDERR_FILENO);
}

void say_own_stack(const void* context) noexcept {
    stack_frames here;
    say_own_stack(context, here);
}

void say_other_stacks() noexcept {
    for_each_other_thread(&say_stack_of);
    say("(addr2line -Cfipe PROGRAM 0x... says the function and line of each PROGRAM(+0x...))\n\n");
}

bridge::detail::code_place place_of(int thread) noexcept {
    if (thread == this_thread())
        return bridge::detail::place_of_this_thread();
    asks_for_place = true;
    answered_place.store({});
    const bool has_answered = ask(thread);
    asks_for_place = false;
    return has_answered ? answered_place.load() : bridge::detail::code_place();
}

int thread_of_handler(const void* slot) noexcept {
    const auto works_for_it = [slot](int thread) {
        answered_slot = nullptr;
        place_of(thread);
        return answered_slot == slot;
    };
    constexpr int most_looks = 5;
    constexpr timespec a_while{0, 10'000'000};
    int found = 0;
    for_each_other_thread([&](int thread) {
        if (found == 0 && works_for_it(thread))
            found = thread;
    });
    for (int look = 1; look < most_looks && found != 0; ++look) {
        ::nanosleep(&a_while, nullptr);
        if (!works_for_it(found))
            found = 0;
    }
    return found;
}

void prepare_stacks() {
    prepare_code_lines();
    void* frames[1];
    ::backtrace(frames, 1);

    struct sigaction action {};

    action.sa_sigaction = &answer;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigaction(asking_signal, &action, nullptr);
}

} // namespace bridge::harness
