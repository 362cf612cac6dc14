// SPDX-License-Identifier: Apache-2.0
#include "run/watchdog.hpp"

#include "run/exit_now.hpp"

#include <bridge/protocol/exit_code.hpp>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace bridge::harness {
namespace {

using std::chrono::milliseconds;

// The thread looks at the clock so often; who has not looked for much longer has not run at all.
constexpr milliseconds tick{100};
constexpr milliseconds least_stop{500};

constexpr milliseconds time_to_dump{200};

using handler = void (*)(int);

constinit std::atomic<handler> dump_handler{nullptr};

handler handler_of_quit() noexcept {
    struct sigaction action {};

    ::sigaction(SIGQUIT, nullptr, &action);
    return action.sa_handler;
}

// In this thread, which is not in anybody's way, and in which it is not blocked.
void dump() noexcept {
    if (const auto known = dump_handler.load(); known == nullptr || handler_of_quit() != known)
        return;
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGQUIT);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(SIGQUIT);
}

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
    : words_(std::move(words)), after_(after) {
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

watchdog::clock::duration watchdog::stopped() {
    const std::lock_guard lock(mutex_);
    notice_stop();
    return stopped_;
}

void watchdog::notice_stop() {
    const auto now = clock::now();
    if (now - seen_ > tick + least_stop)
        stopped_ += now - seen_;
    seen_ = now;
}

// Whether it has become so late.
bool watchdog::wait_until(std::unique_lock<std::mutex>& lock, clock::time_point deadline) {
    while (!over_) {
        notice_stop();
        const auto until = deadline + stopped_;
        if (seen_ >= until)
            return true;
        changed_.wait_until(lock, std::min(until, seen_ + tick));
    }
    return false;
}

void watchdog::wait() {
    std::unique_lock lock(mutex_);
    if (!wait_until(lock, begun_ + after_ - std::min<clock::duration>(time_to_dump, after_)))
        return;
    lock.unlock(); // the handler takes its time, and who waits for it may be the end of the test
    dump();
    lock.lock();
    if (!wait_until(lock, begun_ + after_))
        return;
    write_all(words_.descriptor, words_.text.data(), words_.text.size());
    exit_now(protocol::timed_out_exit);
}

void catch_dumps() noexcept {
    dump_handler = handler_of_quit();
}

} // namespace bridge::harness
