// SPDX-License-Identifier: Apache-2.0
// Signals, in their order.
#include "children/escalation.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

namespace bridge::cli {

void escalation::start(process_group of) {
    target_ = of;
    is_armed_ = true;
    if (limits_.timeout)
        arm(*limits_.timeout, [this] { explain_then_end(); });
}

void escalation::arm(std::chrono::steady_clock::duration delay, std::function<void()> action) {
    next_ = std::move(action);
    timer_.expires_after(delay);
    timer_.async_wait([self = weak_from_this()](boost::system::error_code error) {
        const auto alive = self.lock();
        if (error || !alive || !alive->is_armed_ || alive->is_paused_)
            return;
        const auto next = alive->next_; // which may set another one
        next();
    });
}

void escalation::set_target(process_group of) {
    target_ = of;
    if (limits_.timeout && is_armed_ && !is_ending_ && !is_paused_)
        arm(*limits_.timeout, [this] { explain_then_end(); });
}

// By the time that does not count and was not given yet.
bool escalation::puts_off(std::function<void()> action) {
    if (!limits_.more || limits_.more() <= granted_)
        return false;
    const auto more = limits_.more();
    constexpr std::chrono::steady_clock::duration least = std::chrono::milliseconds(50);
    arm(std::max(least, more - std::exchange(granted_, more)), std::move(action));
    return true;
}

void escalation::pause() {
    if (!is_armed_ || is_paused_)
        return;
    is_paused_ = true;
    left_ = timer_.expiry() - std::chrono::steady_clock::now();
    timer_.cancel();
    target_.signal(SIGSTOP);
}

void escalation::resume() {
    if (!is_armed_ || !is_paused_)
        return;
    is_paused_ = false;
    target_.signal(SIGCONT);
    if (next_)
        arm(std::max(left_, std::chrono::steady_clock::duration::zero()), next_);
}

// Not while it is being ended: there it is asked in its turn.
void escalation::ask() const {
    if (is_armed_ && !is_paused_ && !is_ending_ && target_.leader_catches(SIGQUIT))
        target_.signal_leader(SIGQUIT);
}

void escalation::stop() {
    end(ending::stopped);
}

void escalation::end(ending cause) {
    if (is_ending_)
        return;
    is_ending_ = true;
    cause_ = cause;
    terminate();
}

// Who catches SIGQUIT writes where it hangs, as the harness and the Java machine do; for all others
// it would be the end, with a core file.
void escalation::explain_then_end() {
    if (!is_ending_ && puts_off([this] { explain_then_end(); }))
        return;
    stop_signal_ = target_.stop_signal();
    if (is_ending_ || !target_.leader_catches(SIGQUIT))
        return end(ending::timed_out);
    is_ending_ = true;
    cause_ = ending::timed_out;
    target_.signal_leader(SIGQUIT);
    target_.signal_leader(SIGCONT);
    arm(limits_.dump_time, [this] { terminate_explained(); });
}

void escalation::terminate_explained() {
    if (!puts_off([this] { terminate_explained(); }))
        terminate();
}

void escalation::terminate() {
    target_.signal(SIGTERM);
    target_.signal(SIGCONT); // a stopped process would not see the SIGTERM
    arm(limits_.kill_after, [this] { kill(); });
}

void escalation::kill() {
    if (!is_ending_) {
        is_ending_ = true;
        cause_ = ending::stopped;
    }
    target_.signal(SIGKILL);
}

void escalation::disarm() {
    is_armed_ = false;
    target_ = {};
    timer_.cancel();
}

} // namespace bridge::cli
