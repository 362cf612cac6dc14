// SPDX-License-Identifier: Apache-2.0
// The event loop around the running processes.
#include "supervisor.hpp"

#include <csignal>

namespace bridge::cli {

namespace {

bool is_ignored(int number) {
    struct sigaction action {};

    ::sigaction(number, nullptr, &action);
    return action.sa_handler == SIG_IGN;
}

} // namespace

supervisor::supervisor()
    : children_(context_, SIGCHLD), interrupts_(context_, SIGTERM), run_timer_(context_) {
    // Whoever started us may have blocked them; then no test would ever be seen to end.
    sigset_t ours;
    ::sigemptyset(&ours);
    for (int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP})
        ::sigaddset(&ours, number);
    ::sigprocmask(SIG_UNBLOCK, &ours, nullptr);
    // Under nohup, or in the background of a script, these are ignored and stay so.
    for (int number : {SIGINT, SIGHUP})
        if (!is_ignored(number))
            interrupts_.add(number);
    wait_for_child();
    wait_for_interrupt();
}

supervisor::~supervisor() {
    // Only after an exception: a run that ends in order has no workers left.
    for (const auto& one : workers_) {
        guardian_.remove(one->group());
        one->abandon();
    }
}

std::weak_ptr<worker> supervisor::start(const command& what, wiring how, worker_limits limits,
                                        worker_sinks sinks) {
    process child(what, how);
    guardian_.add(child.pid());
    auto one = std::make_shared<worker>(context_, std::move(child), limits, std::move(sinks));
    try {
        one->start();
    } catch (...) {
        guardian_.remove(one->group());
        one->abandon();
        throw;
    }
    workers_.push_back(one);
    return one;
}

void supervisor::run_until(const std::function<bool()>& is_done) {
    while (!is_done())
        context_.run_one();
}

void supervisor::limit_run(std::chrono::milliseconds timeout) {
    run_timer_.expires_after(timeout);
    run_timer_.async_wait([this](boost::system::error_code error) {
        if (!error)
            stop(stop_reason::run_timeout);
    });
}

void supervisor::wait_for_child() {
    children_.async_wait([this](boost::system::error_code error, int) {
        if (error)
            return;
        wait_for_child();
        collect();
    });
}

void supervisor::wait_for_interrupt() {
    interrupts_.async_wait([this](boost::system::error_code error, int) {
        if (error)
            return;
        wait_for_interrupt();
        if (reason_ == stop_reason::interrupted)
            kill();
        else
            stop(stop_reason::interrupted);
    });
}

void supervisor::collect() {
    // A worker's end starts the next one, which changes workers_: walk over a copy.
    const auto before = workers_;
    for (const auto& one : before) {
        if (!one->has_ended())
            continue;
        guardian_.remove(one->group()); // while the number is still the zombie's
        std::erase(workers_, one);
        one->collect();
    }
}

void supervisor::stop(stop_reason reason) {
    // An interrupt outranks the time-out that came before it, but not the other way round.
    if (reason_ == stop_reason::none || reason == stop_reason::interrupted)
        reason_ = reason;
    for (const auto& one : workers_)
        one->stop();
    if (on_stop)
        on_stop(reason_, false);
}

void supervisor::kill() {
    for (const auto& one : workers_)
        one->kill();
    if (on_stop)
        on_stop(reason_, true);
}

} // namespace bridge::cli
