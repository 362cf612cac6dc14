// SPDX-License-Identifier: Apache-2.0
// Running the selected tests.
#include "run/dispatcher.hpp"

#include <system_error>

#include <bridge/protocol/duration.hpp>

#include "children/explain_start.hpp"
#include "children/test_command.hpp"
#include "output/style.hpp"
#include "process/capture.hpp"
#include "process/shared_streams.hpp"
#include "run/record.hpp"
#include "run/verdict.hpp"
#include "settings/options.hpp"

namespace bridge::cli {

using protocol::outcome;

namespace {

constexpr std::chrono::milliseconds tick_period{100};

command to_command(const planned_test& plan) {
    const auto& test = plan.test;
    const auto& id = test.info->id;
    std::vector<std::string> arguments{"--run-exact", id, "--event-fd",
                                       std::to_string(event_descriptor)};
    if (plan.timeout) {
        arguments.push_back("--timeout");
        arguments.push_back(protocol::format_duration(*plan.timeout));
    }
    return test_command(test.binary->location, std::move(arguments), id);
}

std::string not_run_reason(stop_reason reason) {
    switch (reason) {
    case stop_reason::interrupted:
        return "the run was interrupted";
    case stop_reason::run_timeout:
        return "the run's time was over";
    case stop_reason::none:
        break;
    }
    return "too many tests had failed";
}

// What a test writes when it was asked where it is. Nothing says that it is all of it.
class answer {
public:
    void append(std::string_view bytes) {
        text_.append(bytes);
        last_ = clock::now();
    }

    bool is_whole() const {
        const auto now = clock::now();
        return now - asked_ > longest || (!text_.is_empty() && now - last_ > quiet);
    }

    std::string text() const { return text_.text(); }

private:
    using clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds quiet{500};
    static constexpr std::chrono::seconds longest{5};

    capture text_;
    clock::time_point asked_ = clock::now();
    clock::time_point last_ = asked_;
};

} // namespace

struct dispatcher::running_test {
    running_test(const planned_test& what, std::size_t at)
        : plan(what), place(at), said(what.test.info->id) {}

    const planned_test& plan;
    const std::size_t place;
    std::chrono::milliseconds allowed{0};
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    int slow_marks = 0;
    capture output;
    record said;
    std::optional<answer> asked;
};

dispatcher::dispatcher(supervisor& processes, const options& settings, report_set& reports,
                       const shared_streams& streams)
    : processes_(processes), settings_(settings), reports_(reports), streams_(streams),
      ticks_(processes.context()), sessions_(processes, settings) {
    sessions_.waiting = [this](const test_binary& binary) {
        return may_start() ? waiting_[&binary] : 0;
    };
    processes_.on_resume = [this](std::chrono::nanoseconds stopped) {
        for (const auto& one : running_)
            one->started += stopped;
    };
    processes_.on_ask = [this] { ask(); };
    sessions_.warn = [this](const std::string& text) { reports_.emit(warned{text}); };
}

std::size_t dispatcher::run(const std::vector<planned_test>& tests) {
    tests_ = &tests;
    queue_.emplace(tests, settings_.jobs, settings_.isolation != isolation_mode::process);
    for (const auto& one : tests)
        ++waiting_[one.test.binary];
    attempts_.resize(tests.size());
    tick();
    fill();
    processes_.run_until([this] { return running_.empty(); });
    sessions_.close_idle();
    processes_.run_until([this] { return sessions_.is_empty(); });
    ticks_.cancel();
    give_up_waiting();
    return failed_;
}

// What has not run has no verdict; what has run before has that one.
void dispatcher::give_up_waiting() {
    const auto reason = not_run_reason(processes_.stopped());
    while (const auto test = queue_->take_any()) {
        auto& of = attempts_[*test];
        of.take({(*tests_)[*test].test, outcome::not_run, reason}, {0, 1, false});
        report(std::move(of).verdict());
    }
}

bool dispatcher::may_start() const {
    return processes_.stopped() == stop_reason::none &&
           (settings_.max_fail == 0 || failures_ < settings_.max_fail) &&
           !(settings_.is_until_fail && failures_ > 0);
}

unsigned dispatcher::rounds() const {
    return settings_.repeat.value_or(settings_.is_until_fail ? 0 : 1);
}

void dispatcher::fill() {
    while (may_start()) {
        const auto test = queue_->take();
        if (!test || !start(*test))
            return;
    }
}

// False if the system has no room for it now: it waits until one that runs has ended.
bool dispatcher::start(std::size_t place) {
    const auto& plan = (*tests_)[place];
    auto state = std::make_shared<running_test>(plan, place);
    state->allowed = plan.time() + settings_.grace;
    worker_sinks sinks;
    sinks.output = [state](std::string_view bytes) {
        state->output.append(bytes);
        if (state->asked)
            state->asked->append(bytes);
    };
    sinks.messages = [state](std::string_view bytes) { state->said.append(bytes); };
    sinks.end = [this, state](const worker_end& end) { finish(state, end); };
    reports_.emit(case_started{plan.test});
    running_.push_back(state);
    --waiting_[plan.test.binary];
    try {
        launch(state, std::move(sinks));
    } catch (const std::system_error& error) {
        if (is_shortage(error) && running_.size() > 1) {
            withdraw(state);
            return false;
        }
        std::erase(running_, state);
        conclude(place, {plan.test, outcome::crashed,
                         explain_start(error, plan.test.binary->location.program())});
    }
    return true;
}

void dispatcher::launch(const std::shared_ptr<running_test>& test, worker_sinks sinks) {
    worker_limits limits{test->allowed};
    limits.more = [test] { return test->said.explained(); };
    if (sessions_.serves(*test->plan.test.binary)) {
        sessions_.run(test->plan, std::move(limits), std::move(sinks), [this, test] {
            withdraw(test);
            fill();
        });
        return;
    }
    const auto how = settings_.is_capturing ? wiring::captured_test : wiring::uncaptured_test;
    processes_.start(to_command(test->plan), how, std::move(limits), std::move(sinks));
}

// As if it had not been started.
void dispatcher::withdraw(const std::shared_ptr<running_test>& test) {
    std::erase(running_, test);
    queue_->end(test->place);
    queue_->put_first(test->place);
    ++waiting_[test->plan.test.binary];
}

void dispatcher::finish(const std::shared_ptr<running_test>& test, const worker_end& end) {
    std::erase(running_, test);
    if (!settings_.is_capturing)
        streams_.restore();
    const auto decision = judge(test->said, end, test->allowed);
    case_result result{test->plan.test,       decision.result,    decision.message,
                       test->said.failures(), test->said.notes(), test->output.text(),
                       end.duration};
    const bool has_sanitizers_report = result.output.find("Sanitizer:") != std::string::npos;
    const auto command = shell_quote(test->plan.test.binary->location.shown_path) +
                         " --run-exact " + shell_quote(test->plan.test.info->id);
    if (auto note = explain_end(test->said, end, command); !note.empty() && !has_sanitizers_report)
        result.notes.push_back(std::move(note));
    if (end.left_processes)
        result.notes.push_back("it left processes behind that held its output open; "
                               "bridge-test ended them");
    conclude(test->place, std::move(result));
    fill();
}

void dispatcher::conclude(std::size_t place, case_result result) {
    queue_->end(place);
    auto& of = attempts_[place];
    const auto retries = settings_.is_until_fail ? 0 : (*tests_)[place].retries;
    // Before it is asked what comes next: the failure that ends the run starts no more rounds.
    if (result.is_bad() && of.failed_attempts() >= retries)
        ++failures_;
    switch (of.take(result, {retries, rounds(), may_start()})) {
    case next_step::retry:
        queue_->put_first(place);
        ++waiting_[result.test.binary];
        reports_.emit(case_retried{std::move(result), of.failed_attempts(), retries + 1});
        break;
    case next_step::next_round:
        queue_->put_last(place);
        ++waiting_[result.test.binary];
        reports_.emit(case_repeated{std::move(result)});
        break;
    case next_step::finished:
        report(std::move(of).verdict());
        break;
    }
}

void dispatcher::report(case_result result) {
    if (result.is_bad())
        ++failed_;
    reports_.emit(case_finished{std::move(result)});
}

void dispatcher::mark_slow() {
    const auto now = std::chrono::steady_clock::now();
    for (const auto& one : running_) {
        const auto elapsed = now - one->started;
        if (elapsed < settings_.slow * (one->slow_marks + 1))
            continue;
        ++one->slow_marks;
        reports_.emit(case_slow{one->plan.test, settings_.slow * one->slow_marks});
    }
}

// A second question while they answer is the same one.
void dispatcher::ask() {
    for (const auto& one : running_)
        if (settings_.is_capturing && !one->asked)
            one->asked.emplace();
    processes_.ask();
}

void dispatcher::tell_answers() {
    for (const auto& one : running_) {
        if (!one->asked || one->said.is_explaining() || !one->asked->is_whole())
            continue;
        reports_.emit(case_asked{one->plan.test, one->asked->text(),
                                 std::chrono::steady_clock::now() - one->started});
        one->asked.reset();
    }
}

void dispatcher::tick() {
    reports_.emit(clock_ticked{});
    mark_slow();
    tell_answers();
    ticks_.expires_after(tick_period);
    ticks_.async_wait([this](boost::system::error_code error) {
        if (!error)
            tick();
    });
}

} // namespace bridge::cli
