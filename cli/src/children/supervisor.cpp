// SPDX-License-Identifier: Apache-2.0
// The event loop around the running processes.
#include "children/supervisor.hpp"

#include <csignal>

namespace bridge::cli {

namespace {

bool is_ignored(int number) {
    struct sigaction action {};

    ::sigaction(number, nullptr, &action);
    return action.sa_handler == SIG_IGN;
}

// Until SIGCONT comes; at once if the system lets nobody stop whom no shell could resume (an
// orphaned process group), as it does for the program that knows nothing of it.
void stop_ourselves() {
    struct sigaction plain {};

    struct sigaction ours {};

    plain.sa_handler = SIG_DFL;
    ::sigaction(SIGTSTP, &plain, &ours);
    ::raise(SIGTSTP);
    ::sigaction(SIGTSTP, &ours, nullptr);
}

} // namespace

supervisor::supervisor()
    : ended_children_(context_, SIGCHLD), interrupts_(context_, SIGTERM), stops_(context_),
      questions_(context_), run_timer_(context_) {
    // Whoever started us may have blocked them; then no test would ever be seen to end.
    sigset_t ours;
    ::sigemptyset(&ours);
    for (int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGTSTP, SIGUSR1})
        ::sigaddset(&ours, number);
    ::sigprocmask(SIG_UNBLOCK, &ours, nullptr);
    // Under nohup, or in the background of a script, these are ignored and stay so.
    for (int number : {SIGINT, SIGHUP})
        if (!is_ignored(number))
            interrupts_.add(number);
    if (!is_ignored(SIGTSTP))
        stops_.add(SIGTSTP);
    if (!is_ignored(SIGUSR1))
        questions_.add(SIGUSR1);
    wait_for_child();
    wait_for_interrupt();
    wait_for_stop();
    wait_for_question();
}

supervisor::~supervisor() {
    // Only after an exception: a run that ends in order has no children left.
    for (const auto& one : children_)
        abandon(*one);
}

void supervisor::abandon(child& one) noexcept {
    guardian_.remove(one.group().leader());
    one.abandon();
}

template<class Child>
void supervisor::watch(const std::shared_ptr<Child>& one) {
    try {
        one->start();
        children_.push_back(one);
    } catch (...) {
        abandon(*one);
        throw;
    }
}

std::weak_ptr<worker> supervisor::start(const command& what, wiring how, worker_limits limits,
                                        worker_sinks sinks) {
    process started(what, how);
    guardian_.add(started.pid());
    auto one = std::make_shared<worker>(context_, std::move(started), limits, std::move(sinks));
    watch(one);
    return one;
}

std::shared_ptr<session> supervisor::open_session(const command& what, bool is_captured) {
    process started(what, is_captured ? wiring::captured_session : wiring::uncaptured_session);
    guardian_.add(started.pid());
    auto one = std::make_shared<session>(context_, std::move(started), guardian_);
    watch(one);
    return one;
}

void supervisor::run_until(const std::function<bool()>& is_done) {
    while (!is_done())
        context_.run_one();
}

void supervisor::limit_run(std::chrono::milliseconds timeout) {
    run_end_ = std::chrono::steady_clock::now() + timeout;
    arm_run_timer();
}

void supervisor::arm_run_timer() {
    run_timer_.expires_at(run_end_);
    run_timer_.async_wait([this](boost::system::error_code error) {
        if (!error)
            stop(stop_reason::run_timeout);
    });
}

void supervisor::wait_for_child() {
    ended_children_.async_wait([this](boost::system::error_code error, int) {
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

void supervisor::wait_for_stop() {
    stops_.async_wait([this](boost::system::error_code error, int) {
        if (error)
            return;
        wait_for_stop();
        pause();
    });
}

void supervisor::wait_for_question() {
    questions_.async_wait([this](boost::system::error_code error, int) {
        if (error)
            return;
        wait_for_question();
        if (on_ask)
            on_ask();
    });
}

void supervisor::read_keys() {
    keys_.emplace(context_, [this](char key) {
        if (key == 'd' && on_ask)
            on_ask();
    });
}

void supervisor::ask() {
    for (const auto& one : children_)
        one->ask();
}

// As the terminal does with a program that knows nothing of it, and with its children.
void supervisor::pause() {
    const auto began = std::chrono::steady_clock::now();
    const auto running = children_;
    for (const auto& one : running)
        one->pause();
    if (keys_)
        keys_->leave();
    stop_ourselves();
    if (keys_)
        keys_->enter();
    const auto stopped = std::chrono::steady_clock::now() - began;
    if (on_resume)
        on_resume(stopped);
    for (const auto& one : running)
        one->resume(stopped);
    if (run_end_ != std::chrono::steady_clock::time_point()) {
        run_end_ += stopped;
        arm_run_timer();
    }
}

void supervisor::collect() {
    // A child's end starts the next one, which changes children_: walk over a copy.
    const auto before = children_;
    for (const auto& one : before) {
        if (!one->has_ended())
            continue;
        guardian_.remove(one->group().leader()); // while the number is still the zombie's
        std::erase(children_, one);
        one->collect();
    }
}

void supervisor::stop(stop_reason reason) {
    // An interrupt outranks the time-out that came before it, but not the other way round.
    if (reason_ == stop_reason::none || reason == stop_reason::interrupted)
        reason_ = reason;
    const auto running = children_;
    for (const auto& one : running)
        one->stop();
    if (on_stop)
        on_stop(reason_, false);
}

void supervisor::kill() {
    const auto running = children_;
    for (const auto& one : running)
        one->kill();
    if (on_stop)
        on_stop(reason_, true);
}

} // namespace bridge::cli
