// SPDX-License-Identifier: Apache-2.0
#include "run/watchdog.hpp"

#include "record/waits.hpp"
#include "run/alternate_stack.hpp"
#include "run/code_lines.hpp"
#include "run/exit_now.hpp"
#include "run/explaining.hpp"
#include "run/python_stacks.hpp"
#include "run/stack_report.hpp"
#include "run/unfinished_test.hpp"

#include <bridge/detail/for_harness.hpp>
#include <bridge/protocol/exit_code.hpp>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace bridge::harness {
namespace {

using std::chrono::milliseconds;

// The thread looks at the clock so often; who has not looked for much longer has not run at all.
constexpr milliseconds tick{100};
constexpr milliseconds least_stop{500};

constexpr milliseconds time_to_dump{200};

python_dump handler_of_quit() noexcept {
    struct sigaction action {};

    ::sigaction(SIGQUIT, nullptr, &action);
    const bool is_none = action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN;
    return is_none ? nullptr : action.sa_handler;
}

void say_gil_holder() noexcept {
    const int thread = Py_IsInitialized() != 0 ? bridge::detail::gil_holder() : 0;
    if (thread == 0)
        return;
    say("The GIL is held by thread ");
    say_thread(thread);
    say(".\n");
}

// Python's own handler of the signal, which a thread of Python's calls when it can: what it tells
// of tasks takes the GIL.
void ask_for_tasks([[maybe_unused]] int number) noexcept {
#if PY_VERSION_HEX >= 0x030A0000
    if (Py_IsInitialized() != 0)
        PyErr_SetInterruptEx(number);
#endif
}

// What the thread itself does is of no interest.
constinit thread_local bool is_watching = false;

// Of what does not end after its last test; whoever asks then, ends it next.
void tell_place_at_the_end() noexcept {
    const auto place = place_of_thread(::getpid());
    if (unfinished_test::id() == nullptr && !place.empty())
        unfinished_test::tell_end({"it was at ", place});
}

// C++ first: Python's part ends at what it does not understand.
void dump_all(int number, siginfo_t*, void* context) {
    const int before = errno;
    say_waits(STDERR_FILENO);
    say_gil_holder();
    if (!sanitizer_has_stacks) {
        stack_frames own;
        take_own_stack(context, own);
        say_stacks(is_watching ? nullptr : &own);
    }
    say_python_stacks(number);
    ask_for_tasks(number);
    tell_place_at_the_end();
    errno = before;
}

// In this thread, which is not in anybody's way, and in which it is not blocked.
void dump() noexcept {
    if (reinterpret_cast<void*>(handler_of_quit()) != reinterpret_cast<void*>(&dump_all))
        return; // a test's own
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGQUIT);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(SIGQUIT);
}

// In memory of its own.
class verdict_text {
public:
    std::string_view of_gil_holder(int thread) noexcept {
        if (thread == 0)
            add("the main thread is blocked");
        else if (thread == ::getpid())
            add("the main thread holds the GIL and does not come back to its loop");
        else
            add_holder(thread);
        const auto place = place_of_thread(thread == 0 ? ::getpid() : thread);
        add(place.empty() ? ", where its stack says" : " at ");
        add(place);
        return {text_, size_};
    }

private:
    void add_holder(int thread) noexcept {
        add("the GIL is held by thread ");
        add_number(static_cast<unsigned>(thread));
        if (const auto place = place_of(thread); place.file != nullptr) {
            add(", in the coroutine that last waited at ");
            add(place.file);
            add(":");
            add_number(place.line);
            add(", and is");
        }
    }

    void add(std::string_view text) noexcept {
        for (const char c : text)
            if (size_ < sizeof text_)
                text_[size_++] = c;
    }

    void add_number(unsigned number) noexcept {
        char text[16];
        add({text,
             static_cast<std::size_t>(std::to_chars(text, text + sizeof text, number).ptr - text)});
    }

    char text_[1024];
    std::size_t size_ = 0;
};

// Signals are the main thread's: Python waits for them there.
class blocked_signals {
public:
    blocked_signals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
    }

    blocked_signals(const blocked_signals&) = delete;
    blocked_signals& operator=(const blocked_signals&) = delete;

    ~blocked_signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

} // namespace

watchdog::watchdog(milliseconds after, output::last_words words)
    : words_(std::move(words)), deadline_(seen_ + after) {
    const blocked_signals during_start;
    thread_ = std::thread([this] { wait(); });
}

watchdog::~watchdog() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void watchdog::put_off(milliseconds more) {
    const std::lock_guard lock(mutex_);
    notice_stop();
    deadline_ = std::max(deadline_, seen_ - stopped_ + more);
}

watchdog::clock::duration watchdog::stopped() {
    const std::lock_guard lock(mutex_);
    notice_stop();
    return stopped_;
}

void watchdog::notice_stop() {
    const auto now = clock::now();
    const auto explained = explaining::time();
    if (explained != explained_)
        stopped_ += explained - std::exchange(explained_, explained);
    else if (now - seen_ > tick + least_stop)
        stopped_ += now - seen_;
    seen_ = now;
}

// Whether it is so little before the end.
bool watchdog::wait_until(std::unique_lock<std::mutex>& lock, clock::duration before) {
    while (!over_) {
        notice_stop();
        const auto until = deadline_ - before + stopped_;
        if (seen_ >= until)
            return true;
        changed_.wait_until(lock, std::min(until, seen_ + tick));
    }
    return false;
}

// If the words leave the verdict open, it is said now: who holds the GIL.
void watchdog::say_last_words() const noexcept {
    verdict_text verdict;
    write_last_words(words_, {verdict.of_gil_holder(bridge::detail::gil_holder())});
}

void watchdog::wait() {
    is_watching = true;
    ::pthread_setname_np(::pthread_self(), watching_thread);
    std::unique_lock lock(mutex_);
    if (!wait_until(lock, std::min<clock::duration>(time_to_dump, deadline_ - seen_)))
        return;
    lock.unlock(); // the handler takes its time, and who waits for it may be the end of the test
    dump();
    lock.lock();
    if (!wait_until(lock, {}))
        return;
    while (is_ending()) // which has its own limits, and its own words
        ::pause();
    say_last_words();
    exit_now(protocol::timed_out_exit);
}

void catch_dumps() {
    enlarge_alternate_stack();
    prepare_stacks();
    prepare_code_lines();
    set_python_dump(Py_IsInitialized() != 0 ? handler_of_quit() : nullptr);

    struct sigaction action {};

    action.sa_sigaction = &dump_all;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_ONSTACK;
    ::sigaction(SIGQUIT, &action, nullptr);
}

} // namespace bridge::harness
