// SPDX-License-Identifier: Apache-2.0
#include "watchdog.hpp"

#include <signal.h>
#include <unistd.h>

namespace bridge::harness {
namespace {

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

watchdog::watchdog(std::chrono::milliseconds after, output::last_words words)
    : words_(std::move(words)) {
    const auto deadline = std::chrono::steady_clock::now() + after;
    const blocked_signals during_start;
    thread_ = std::thread([this, deadline] { wait(deadline); });
}

watchdog::~watchdog() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void watchdog::wait(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_until(lock, deadline, [this] { return over_; }))
        return;
    write_all(words_.descriptor, words_.text.data(), words_.text.size());
    ::_exit(timed_out_exit);
}

} // namespace bridge::harness
