// SPDX-License-Identifier: Apache-2.0
// Running the selected tests.
#include "dispatcher.hpp"

#include <system_error>

#include <bridge/protocol/duration.hpp>

#include "capture.hpp"
#include "options.hpp"
#include "record.hpp"
#include "test_environment.hpp"
#include "verdict.hpp"

namespace bridge::cli {

using protocol::outcome;

namespace {

constexpr std::chrono::milliseconds tick_period{100};

command to_command(const test_case& test, const options& settings) {
    const auto& id = test.info->id;
    const auto& location = test.binary->location;
    command what{location.path,
                 {"--run-exact", id, "--event-fd", std::to_string(event_descriptor)},
                 test_environment(location, id),
                 location.working_directory};
    if (const auto timeout = settings.timeout ? settings.timeout : location.timeout) {
        what.arguments.push_back("--timeout");
        what.arguments.push_back(protocol::format_duration(*timeout));
    }
    return what;
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

} // namespace

struct dispatcher::running_test {
    explicit running_test(const test_case& what) : test(what), said(what.info->id) {}

    test_case test;
    std::chrono::milliseconds allowed{0};
    capture output;
    record said;
};

dispatcher::dispatcher(supervisor& processes, const options& settings, report_set& reports)
    : processes_(processes), settings_(settings), reports_(reports), ticks_(processes.context()) {}

std::size_t dispatcher::run(const std::vector<test_case>& cases) {
    cases_ = &cases;
    tick();
    fill();
    processes_.run_until([this] { return running_ == 0; });
    ticks_.cancel();
    const auto reason = not_run_reason(processes_.stopped());
    while (next_ < cases.size())
        finish({cases[next_++], outcome::not_run, reason, {}, {}, {}, {}});
    return failed_;
}

bool dispatcher::may_start() const {
    return processes_.stopped() == stop_reason::none &&
           (settings_.max_fail == 0 || failed_ < settings_.max_fail);
}

void dispatcher::fill() {
    while (running_ < settings_.jobs && next_ < cases_->size() && may_start())
        start((*cases_)[next_++]);
}

void dispatcher::start(const test_case& test) {
    auto state = std::make_shared<running_test>(test);
    state->allowed = settings_.timeout.value_or(test.info->timeout) + settings_.grace;
    worker_sinks sinks;
    sinks.output = [state](std::string_view bytes) { state->output.append(bytes); };
    sinks.messages = [state](std::string_view bytes) { state->said.append(bytes); };
    sinks.end = [this, state](const worker_end& end) { finish(state, end); };
    reports_.emit(case_started{test});
    const auto how = settings_.is_capturing ? wiring::captured_test : wiring::uncaptured_test;
    try {
        processes_.start(to_command(test, settings_), how, {state->allowed}, std::move(sinks));
        ++running_;
    } catch (const std::system_error& error) {
        finish({test, outcome::crashed, explain_start(error), {}, {}, {}, {}});
    }
}

void dispatcher::finish(const std::shared_ptr<running_test>& test, const worker_end& end) {
    --running_;
    const auto decision = judge(test->said, end, test->allowed);
    case_result result{
        test->test,         decision.result,     decision.message, test->said.failures(),
        test->said.notes(), test->output.text(), end.duration};
    if (end.left_processes)
        result.notes.push_back("it left processes behind that held its output open; "
                               "bridge-test ended them");
    finish(std::move(result));
    fill();
}

void dispatcher::finish(case_result result) {
    if (result.result != outcome::not_run && !protocol::is_success(result.result))
        ++failed_;
    reports_.emit(case_finished{std::move(result)});
}

void dispatcher::tick() {
    reports_.emit(clock_ticked{});
    ticks_.expires_after(tick_period);
    ticks_.async_wait([this](boost::system::error_code error) {
        if (!error)
            tick();
    });
}

} // namespace bridge::cli
