// SPDX-License-Identifier: Apache-2.0
// Only what is async-signal-safe, or has been done once before: backtrace() loads its library when
// it is first called.
#include "run/stacks.hpp"

#include "record/output.hpp"

#include <bridge/detail/for_harness.hpp>

#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
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

constexpr int asking_signal = SIGURG;
constexpr int copies = -1; // what is asked is being answered

constexpr timespec a_while{0, 1'000'000};

constinit std::atomic<int> asker{0};
constinit std::atomic<int> asked_thread{0};
constinit std::atomic<bool> asks_for_place{false};
constinit std::atomic<thread_stack*> asked_stack{nullptr};
constinit bridge::detail::shared_place answered_place;
constinit std::atomic<const void*> answered_slot{nullptr};

// In a thread that was asked where it is. Who asks may have given up by now.
void answer(int, siginfo_t*, void* context) {
    const int before = errno;
    int self = this_thread();
    if (asked_thread == self && asks_for_place) {
        answered_place.store(bridge::detail::place_of_this_thread());
        answered_slot = bridge::detail::slot_of_this_thread();
        asked_thread.compare_exchange_strong(self, 0);
    } else if (asked_thread == self) {
        stack_frames here;
        take_own_stack(context, here);
        if (asked_thread.compare_exchange_strong(self, copies)) {
            asked_stack.load()->pthread = static_cast<std::uintptr_t>(::pthread_self());
            asked_stack.load()->frames = here;
            asked_thread = 0;
        }
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

// As the kernel shows it: the start of a file of the thread's, into `room`.
template<std::size_t Size>
std::string_view read_file_of(int thread, const char* name, char (&room)[Size]) noexcept {
    char path[64] = "/proc/self/task/";
    auto* end = std::to_chars(path + std::strlen(path), path + 40, thread).ptr;
    *end++ = '/';
    std::memcpy(end, name, std::strlen(name) + 1);
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    const auto size = file < 0 ? 0 : ::read(file, room, Size);
    ::close(file);
    return {room, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

bool blocks(int thread, int signal) noexcept {
    char room[4096];
    const auto text = read_file_of(thread, "status", room);
    constexpr std::string_view head = "SigBlk:\t";
    const auto at = text.find(head);
    std::uint64_t mask = 0;
    if (at != text.npos)
        std::from_chars(text.data() + at + head.size(), text.data() + text.size(), mask, 16);
    return (mask >> (signal - 1) & 1) != 0;
}

// It runs, or would if it had a processor: then it will answer.
bool is_runnable(int thread) noexcept {
    char room[512];
    const auto text = read_file_of(thread, "stat", room);
    const auto end_of_name = text.rfind(") ");
    return end_of_name != text.npos && text.substr(end_of_name + 2).starts_with('R');
}

bool is_harness(int thread) noexcept {
    char room[32];
    const auto name = read_file_of(thread, "comm", room);
    return name.substr(0, name.find('\n')) == watching_thread;
}

// One at a time; who is interrupted while it asks, does not ask again.
class right_to_ask {
public:
    right_to_ask() noexcept {
        constexpr int most_looks = 3000;
        const int self = this_thread();
        for (int look = 0; look < most_looks && asker != self; ++look) {
            int nobody = 0;
            is_ours_ = asker.compare_exchange_strong(nobody, self);
            if (is_ours_)
                return;
            ::nanosleep(&a_while, nullptr);
        }
    }

    right_to_ask(const right_to_ask&) = delete;
    right_to_ask& operator=(const right_to_ask&) = delete;

    ~right_to_ask() {
        if (is_ours_)
            asker = 0;
    }

    explicit operator bool() const noexcept { return is_ours_; }

private:
    bool is_ours_ = false;
};

// A thread that blocks every signal cannot answer. One that is stopped does not; on a busy machine
// others may take long.
bool ask(int thread) noexcept {
    constexpr int most_looks = 1000;
    constexpr int most_looks_while_busy = 5000;
    asked_thread = thread;
    if (blocks(thread, asking_signal) ||
        ::syscall(SYS_tgkill, ::getpid(), thread, asking_signal) != 0)
        return asked_thread = 0, false;
    for (int look = 0; asked_thread != 0; ++look) {
        const bool is_last = look >= most_looks && look % 100 == 0 && !is_runnable(thread);
        if (is_last || look >= most_looks_while_busy)
            break;
        ::nanosleep(&a_while, nullptr);
    }
    int unanswered = thread;
    if (asked_thread.compare_exchange_strong(unanswered, 0))
        return false;
    while (asked_thread == copies)
        ::nanosleep(&a_while, nullptr);
    return true;
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
    for (;;) {
        const auto size = ::syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (size <= 0)
            break;
        for (long at = 0; at < size; at += reinterpret_cast<const entry*>(buffer + at)->size) {
            const auto* name = buffer + at + offsetof(entry, name);
            int thread = 0;
            std::from_chars(name, name + std::strlen(name), thread);
            if (thread != 0 && thread != this_thread())
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
    char room[32];
    const auto name = read_file_of(thread, "comm", room);
    if (name.size() <= 1)
        return;
    say(" (");
    say(name.substr(0, name.size() - 1)); // without its line end
    say(")");
}

void take_own_stack(const void* context, stack_frames& into) noexcept {
    auto* end = into.address + ::backtrace(into.address, stack_frames::most);
    auto* begin = std::find(into.address, end, interrupted_at(context));
    if (begin != end) // what is before is the handler's
        end = std::move(begin, end, into.address);
    into.size = static_cast<int>(end - into.address);
}

void say_raw(const stack_frames& stack) noexcept {
    ::backtrace_symbols_fd(stack.address, stack.size, STDERR_FILENO);
}

void take_stack_of(int thread, thread_stack& into) noexcept {
    into.thread = thread;
    into.pthread = 0;
    into.blocks_signals = blocks(thread, asking_signal);
    into.frames.size = 0;
    if (into.blocks_signals)
        return;
    if (const right_to_ask right; right) {
        asked_stack = &into;
        ask(thread);
    }
}

int take_other_stacks(thread_stack* into, int most) noexcept {
    int count = 0;
    for_each_other_thread([&](int thread) {
        if (count < most && !is_harness(thread))
            take_stack_of(thread, into[count++]);
    });
    return count;
}

bridge::detail::code_place place_of(int thread) noexcept {
    if (thread == this_thread())
        return bridge::detail::place_of_this_thread();
    const right_to_ask right;
    if (!right)
        return {};
    asks_for_place = true;
    answered_place.store({});
    answered_slot = nullptr;
    const bool has_answered = ask(thread);
    asks_for_place = false;
    return has_answered ? answered_place.load() : bridge::detail::code_place();
}

int thread_of_handler(const void* slot) noexcept {
    const auto works_for_it = [slot](int thread) {
        place_of(thread);
        return answered_slot == slot;
    };
    constexpr int most_looks = 5;
    constexpr timespec between_looks{0, 10'000'000};
    int found = 0;
    for_each_other_thread([&](int thread) {
        if (found == 0 && works_for_it(thread))
            found = thread;
    });
    for (int look = 1; look < most_looks && found != 0; ++look) {
        ::nanosleep(&between_looks, nullptr);
        if (!works_for_it(found))
            found = 0;
    }
    return found;
}

void prepare_stacks() {
    void* frames[1];
    ::backtrace(frames, 1);

    struct sigaction action {};

    action.sa_sigaction = &answer;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigaction(asking_signal, &action, nullptr);
}

} // namespace bridge::harness
