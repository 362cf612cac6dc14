// SPDX-License-Identifier: Apache-2.0
// Tests of one process, in lockstep: nothing of one is read as another's.
#include "children/session.hpp"

#include <csignal>
#include <utility>

namespace bridge::cli {

namespace {

// After its last test; longer than the harness gives itself.
constexpr std::chrono::milliseconds time_to_go{12'000};

constexpr std::size_t longest_session_line = 64 * 1024;

} // namespace

session::session(boost::asio::io_context& context, process started, guardian& groups)
    : context_(context), process_(std::move(started)), groups_(groups), output_(context),
      messages_(context), control_(context) {}

void session::start() {
    output_.open(std::move(process_.output), weak_from_this());
    messages_.open(std::move(process_.messages), weak_from_this());
    control_.set_sink([this](std::string_view bytes) { take(bytes); });
    control_.open(std::move(process_.control), weak_from_this());
}

void session::run(const protocol::run_command& what, worker_limits limits, worker_sinks sinks) {
    is_running_ = true;
    on_end_ = std::move(sinks.end);
    output_.set_sink(std::move(sinks.output));
    messages_.set_sink(std::move(sinks.messages));
    started_ = std::chrono::steady_clock::now();
    climb(limits);
    control_.write(protocol::write_command(what));
}

void session::climb(worker_limits limits) {
    escalation_ = std::make_shared<escalation>(context_, limits);
    escalation_->start(process_.group());
}

void session::take(std::string_view bytes) {
    for (char byte : bytes) {
        if (byte != '\n') {
            line_ += byte;
            if (line_.size() > longest_session_line)
                return end_as_crash("a line without an end");
            continue;
        }
        try {
            take(protocol::parse_serving_event(std::exchange(line_, {})));
        } catch (const protocol::protocol_error& error) {
            return end_as_crash(error.what());
        }
    }
}

// Not by way of the escalation: we do not stop it, it ends badly.
void session::end_as_crash(const std::string& why) {
    on_nonsense(why);
    if (fork_ != 0)
        process_group(fork_).signal(SIGKILL);
    process_.group().signal(SIGKILL);
    is_finished_ = true;
    control_.close(); // not before: its end might be in order
}

void session::take(const protocol::serving_event& event) {
    if (is_pausing_ && !std::holds_alternative<protocol::process_started>(event)) {
        held_.push_back(event);
        return;
    }
    if (!is_running_)
        return;
    if (const auto* refusal = std::get_if<protocol::serving_refused>(&event)) {
        escalation_->disarm();
        is_running_ = false;
        finish();
        on_refused(refusal->message);
    } else if (const auto* fork = std::get_if<protocol::process_started>(&event)) {
        fork_ = fork->pid;
        groups_.add(fork_);
        escalation_->set_target(process_group(fork_));
    } else if (const auto* ended = std::get_if<protocol::process_ended>(&event)) {
        forget_fork();
        auto end = make_end({ended->by_signal, ended->number});
        end.left_processes = ended->left;
        end_test(end);
    } else if (wants_more()) {
        end_test(make_end({false, 0}));
    } else {
        finish(); // the test ends with the process
    }
}

worker_end session::make_end(exit_status status) const {
    worker_end end;
    end.status = status;
    end.cause = escalation_->cause();
    end.stop_signal = escalation_->stop_signal();
    end.duration = std::chrono::steady_clock::now() - started_;
    return end;
}

void session::forget_fork() {
    if (fork_ != 0)
        groups_.remove(std::exchange(fork_, 0));
}

// What the test wrote is in the pipes by now.
void session::end_test(const worker_end& end) {
    output_.drain();
    messages_.drain();
    escalation_->disarm();
    is_running_ = false;
    std::exchange(on_end_, {})(end);
}

void session::finish() {
    if (is_finished_)
        return;
    is_finished_ = true;
    control_.close();
    if (!is_running_)
        climb({time_to_go});
}

void session::ask() {
    if (is_running_)
        escalation_->ask();
}

void session::stop() {
    if (is_running_)
        escalation_->stop();
    else
        finish();
}

void session::kill() {
    if (is_running_)
        escalation_->kill();
    else if (escalation_)
        escalation_->kill();
    process_.group().signal(SIGKILL);
}

// It may have told by now which process the test is in; nothing may begin or end meanwhile.
void session::pause() {
    is_pausing_ = true;
    control_.drain();
    is_pausing_ = false;
    if (escalation_)
        escalation_->pause();
}

void session::resume(std::chrono::nanoseconds stopped) {
    started_ += stopped;
    if (escalation_)
        escalation_->resume();
    for (const auto& event : std::exchange(held_, {}))
        take(event);
}

void session::collect() {
    is_over_ = true;
    control_.drain(); // it may have said that the test has ended, or that it refuses
    output_.drain();
    messages_.drain();
    if (fork_ != 0)
        process_group(fork_).signal(SIGKILL); // its parent is gone, and cannot
    forget_fork();
    worker_end end;
    if (escalation_)
        end = make_end({});
    end.left_processes = output_.is_open() || messages_.is_open();
    end.status = process_.reap();
    output_.close();
    messages_.close();
    control_.close();
    if (is_running_)
        end_test(end);
    else if (end.cause != ending::stopped &&
             (!end.status.is_exit(0) || end.cause == ending::timed_out))
        on_idle_end(end);
}

void session::abandon() noexcept {
    if (fork_ != 0)
        process_group(fork_).signal(SIGKILL);
    for (auto* one : {&output_, &messages_, &control_})
        one->close();
    process_.reap();
}

} // namespace bridge::cli
