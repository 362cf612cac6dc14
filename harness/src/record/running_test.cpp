// SPDX-License-Identifier: Apache-2.0
#include <bridge/executor.hpp>

#include "record/running_test.hpp"

#include <bridge/protocol/duration.hpp>

#include <atomic>
#include <cstdio>
#include <stdexcept>

namespace bridge::harness {

using protocol::outcome;

namespace {

constinit std::atomic<running_test*> running{nullptr};
constinit std::atomic<int> late{0};

detail::loop_name loop_of(const registered_test& test, detail::loop_name of_run) {
    if (!test.loop && test.options.is_in_virtual_time)
        return detail::loop_name::same_thread;
    return test.loop.value_or(of_run);
}

} // namespace

running_test::running_test(const registered_test& test, std::chrono::milliseconds timeout,
                           output& to, const run_settings& settings)
    : test_(test), timeout_(timeout), loop_(loop_of(test, settings.loop)), output_(to),
      resources_(test.info.id, settings) {}

running_test& running_test::start(const registered_test& test, std::chrono::milliseconds timeout,
                                  output& to, const run_settings& settings) {
    auto& run = start_beside(test, timeout, to, settings);
    running = &run;
    return run;
}

running_test& running_test::start_beside(const registered_test& test,
                                         std::chrono::milliseconds timeout, output& to,
                                         const run_settings& settings) {
    auto* run = new running_test(test, timeout, to, settings); // never deleted, see the class
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
    for (const auto* one : contexts_)
        message += "\n  " + *one;
    if (!cancelled_.empty())
        message += "\n  " + cancelled_;
    if (finished_) {
        ++late;
        std::fprintf(stderr, "%s failed after its end: %s:%d: %s\n", test_.info.id.c_str(),
                     file.c_str(), line, message.c_str());
        return;
    }
    ++failures_;
    timed_out_ |= kind == protocol::failure_kind::timeout;
    tell_failure({test_.info.id, kind, std::move(message), std::move(file), line});
}

void running_test::tell_failure(protocol::test_failure failure) {
    const bool is_expected =
        !test_.options.known_fault.empty() && failure.kind != protocol::failure_kind::timeout;
    if (!is_expected)
        return output_.tell(failure);
    auto place = failure.file.empty() ? std::string()
                                      : failure.file + ":" + std::to_string(failure.line) + ": ";
    output_.tell(protocol::test_note{failure.id, "expected: " + place + failure.message});
}

void running_test::note(std::string message) {
    const std::lock_guard lock(mutex_);
    if (!finished_)
        output_.tell(protocol::test_note{test_.info.id, std::move(message)});
}

void running_test::skip(std::string reason) {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (sub_tests_ > 0) {
        for (const auto* one : contexts_)
            reason += ", " + *one;
        output_.tell(protocol::test_note{test_.info.id, "skipped: " + reason});
        return;
    }
    skipped_ = true;
    reason_ = std::move(reason);
}

void running_test::mark_stopped() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
}

void running_test::mark_caught() {
    const std::lock_guard lock(mutex_);
    stopped_ = false;
}

void running_test::enter(const char* phase) {
    const std::lock_guard lock(mutex_);
    phase_ = phase;
}

void running_test::set_cancelled(std::string how) {
    const std::lock_guard lock(mutex_);
    cancelled_ = std::move(how);
}

bool running_test::is_cancelled() const {
    const std::lock_guard lock(mutex_);
    return !cancelled_.empty();
}

bool running_test::is_stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

bool running_test::is_timed_out() const {
    const std::lock_guard lock(mutex_);
    return timed_out_;
}

bool running_test::is_skipped() const {
    const std::lock_guard lock(mutex_);
    return skipped_;
}

int running_test::failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
}

std::string running_test::phase() const {
    const std::lock_guard lock(mutex_);
    return phase_;
}

void running_test::add_context(const std::string& text) {
    const std::lock_guard lock(mutex_);
    contexts_.push_back(&text);
}

void running_test::remove_context(const std::string& text) {
    const std::lock_guard lock(mutex_);
    std::erase(contexts_, &text);
}

void running_test::count_sub_tests(int change) {
    const std::lock_guard lock(mutex_);
    sub_tests_ += change;
}

// A fault that has gone: the option that names it is the failure.
void running_test::judge_known_fault() {
    const auto& options = test_.options;
    if (!options.must_fail || failures_ > 0 || skipped_)
        return;
    ++failures_;
    output_.tell(protocol::test_failure{test_.info.id, protocol::failure_kind::check,
                                        "it passed, but xfail says that it fails (" +
                                            std::string(options.known_fault) +
                                            "): remove the xfail, or make it may_fail",
                                        test_.info.file, test_.info.line});
}

void running_test::decide(protocol::test_finished& end) const {
    if (timed_out_) {
        end.result = outcome::timed_out;
        end.message = timeout_message(timeout_);
    } else if (failures_ > 0) {
        end.result = outcome::failed;
    } else if (skipped_) {
        end.result = outcome::skipped;
        end.message = reason_;
    }
}

outcome running_test::finish() {
    for (auto& one : resources_.end())
        note(std::move(one));
    const std::lock_guard lock(mutex_);
    finished_ = true;
    auto* self = this;
    running.compare_exchange_strong(self, nullptr);
    const bool was_expected = failures_ > 0 && !timed_out_ && !test_.options.known_fault.empty();
    judge_known_fault();
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - begun_;
    protocol::test_finished end{test_.info.id, outcome::passed, {}, took.count()};
    if (was_expected) {
        end.result = outcome::skipped;
        end.message = "failed as expected: " + std::string(test_.options.known_fault);
    } else {
        decide(end);
    }
    output_.tell(end);
    return end.result;
}

int running_test::late_failures() noexcept {
    return late;
}

void require_virtual_time(const running_test& run, const char* what) {
    if (!run.test().options.is_in_virtual_time)
        throw std::logic_error(std::string(what) +
                               ": the test has real time; write virtual_time() among its options");
}

std::string timeout_message(std::chrono::milliseconds timeout) {
    return "did not end within " + protocol::format_duration(timeout);
}

} // namespace bridge::harness
