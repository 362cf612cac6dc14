// SPDX-License-Identifier: Apache-2.0
#include <bridge/executor.hpp>

#include "record/running_test.hpp"

#include <bridge/protocol/duration.hpp>

#include <atomic>
#include <cstdio>

namespace bridge::harness {

using protocol::outcome;

namespace {

constinit std::atomic<running_test*> running{nullptr};
constinit std::atomic<int> late{0};

} // namespace

running_test::running_test(const registered_test& test, std::chrono::milliseconds timeout,
                           output& to)
    : test_(test), timeout_(timeout), output_(to) {}

running_test& running_test::start(const registered_test& test, std::chrono::milliseconds timeout,
                                  output& to) {
    auto* run = new running_test(test, timeout, to); // never deleted, see the class
    running = run;
    to.tell(protocol::test_started{test.info.id});
    return *run;
}

running_test* running_test::find() noexcept {
    if (auto* slot = static_cast<running_test*>(current_slot()))
        return slot;
    return running;
}

void running_test::fail(protocol::failure_kind kind, std::string message, std::string file,
                        int line) {
    const std::lock_guard lock(mutex_);
    if (finished_) {
        ++late;
        std::fprintf(stderr, "%s failed after its end: %s:%d: %s\n", test_.info.id.c_str(),
                     file.c_str(), line, message.c_str());
        return;
    }
    ++failures_;
    timed_out_ |= kind == protocol::failure_kind::timeout;
    output_.tell(
        protocol::test_failure{test_.info.id, kind, std::move(message), std::move(file), line});
}

void running_test::note(std::string message) {
    const std::lock_guard lock(mutex_);
    if (!finished_)
        output_.tell(protocol::test_note{test_.info.id, std::move(message)});
}

void running_test::skip(std::string reason) {
    const std::lock_guard lock(mutex_);
    skipped_ = true;
    stopped_ = true;
    reason_ = std::move(reason);
}

void running_test::mark_stopped() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
}

bool running_test::is_stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

bool running_test::is_timed_out() const {
    const std::lock_guard lock(mutex_);
    return timed_out_;
}

protocol::test_finished running_test::result() const {
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - begun_;
    protocol::test_finished end{test_.info.id, outcome::passed, {}, took.count()};
    if (timed_out_) {
        end.result = outcome::timed_out;
        end.message = timeout_message(timeout_);
    } else if (failures_ > 0) {
        end.result = outcome::failed;
    } else if (skipped_) {
        end.result = outcome::skipped;
        end.message = reason_;
    }
    return end;
}

outcome running_test::finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    auto* self = this;
    running.compare_exchange_strong(self, nullptr);
    const auto end = result();
    output_.tell(end);
    return end.result;
}

int running_test::late_failures() noexcept {
    return late;
}

std::string timeout_message(std::chrono::milliseconds timeout) {
    return "did not end within " + protocol::format_duration(timeout);
}

} // namespace bridge::harness
