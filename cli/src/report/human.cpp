// SPDX-License-Identifier: Apache-2.0
// Lines for people, in the order that users of nextest know.
#include "report/human.hpp"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/duration.hpp>

#include "report/progress.hpp"
#include "settings/options.hpp"
#include "settings/settings.hpp"

namespace bridge::cli {

using protocol::outcome;

namespace {

constexpr std::size_t label_width = 9;

// Thousands of tests may end in a second; nobody reads so many lines.
constexpr std::chrono::milliseconds shortest_look{50};

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

std::string plural(std::size_t count, std::string_view word, std::string_view many) {
    return fmt::format("{} {}", count, count == 1 ? word : many);
}

std::string indented(std::string_view text, std::string_view by) {
    std::string result;
    while (!text.empty()) {
        const auto end = text.find('\n');
        result += fmt::format("{}{}\n", by, text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return result;
}

} // namespace

human_reporter::human_reporter(const options& settings)
    : settings_(settings), terminal_(settings.color), recap_(settings.slowest) {}

void human_reporter::on(const run_event& event) {
    std::visit([this](const auto& one) { take(one); }, event);
}

std::string human_reporter::title(const test_case& test) const {
    const auto id = one_line(test.info->id);
    return has_several_binaries_ ? one_line(test.binary->name) + " " + id : id;
}

void human_reporter::take(const listing_failed& event) {
    ++listing_problems_;
    const auto& look = terminal_.look();
    terminal_.print_error(fmt::format("{} {}: {}\n", look.paint(color::red, "error:"),
                                      printable(event.problem.binary, false),
                                      printable(event.problem.message, look.has_color)));
}

void human_reporter::take(const warned& event) {
    terminal_.print_error(fmt::format("{} {}\n", terminal_.look().paint(color::yellow, "warning:"),
                                      printable(event.message, false)));
}

void human_reporter::take(const run_started& event) {
    tests_ = event.tests;
    began_ = std::chrono::steady_clock::now();
    has_several_binaries_ = event.binaries > 1;
    if (settings_.verbosity >= 0)
        terminal_.print(fmt::format("{:>{}} {} from {}, {} at a time\n", "Running", label_width,
                                    plural(event.tests, "test", "tests"),
                                    plural(event.binaries, "binary", "binaries"), event.jobs));
}

void human_reporter::take(const case_started& event) {
    running_.push_back({event.test, std::chrono::steady_clock::now()});
    if (!settings_.is_capturing && settings_.verbosity >= 0)
        terminal_.print(fmt::format("{:>{}} {}\n", "START", label_width, title(event.test)));
}

std::string human_reporter::status_line(const case_result& result) const {
    const auto label = fmt::format("{:>{}}", label_of(result.result), label_width);
    const bool has_reason = !result.message.empty() && result.result != outcome::passed;
    const auto reason = printable(result.message, false);
    const auto flaky =
        result.is_flaky() ? fmt::format(" (flaky: attempt {})", result.earlier.size() + 1) : "";
    return fmt::format("{} [{:8.3f}s] {}{}{}\n",
                       terminal_.look().paint(color_of(result.result), label),
                       seconds(result.duration), title(result.test), flaky,
                       has_reason ? ": " + reason.substr(0, reason.find('\n')) : "");
}

void human_reporter::end_running(const test_case& test) {
    std::erase_if(running_, [&](const auto& one) { return one.test.info == test.info; });
}

void human_reporter::take(const case_slow& event) {
    if (settings_.verbosity >= 0)
        terminal_.print(fmt::format("{} [{:8.3f}s] {}\n",
                                    terminal_.look().paint(color::yellow, "    SLOW >"),
                                    seconds(event.elapsed), title(event.test)));
}

void human_reporter::take(const case_asked& event) {
    terminal_.print(
        fmt::format("{} [{:8.3f}s] {}{}\n{}", terminal_.look().paint(color::yellow, "   WHERE >"),
                    seconds(event.elapsed), title(event.test),
                    event.output.empty()
                        ? ": it does not answer, as it has no handler for SIGQUIT or hangs in it"
                        : "",
                    output_of(event.output)));
}

void human_reporter::take(const case_retried& event) {
    end_running(event.result.test);
    if (settings_.verbosity >= 0)
        terminal_.print(fmt::format("{:>{}} {} of {}: {}", "TRY", label_width, event.attempt,
                                    event.attempts, status_line(event.result)));
}

void human_reporter::take(const case_repeated& event) {
    end_running(event.result.test);
    if (settings_.verbosity > 0 || !is_success(event.result.result))
        terminal_.print(status_line(event.result));
}

void human_reporter::take(const case_finished& event) {
    const auto& result = event.result;
    totals_.add(result.result);
    end_running(result.test);
    if (result.is_flaky())
        ++flaky_;
    recap_.add(result, title(result.test));
    const bool is_bad = result.result != outcome::not_run && !is_success(result.result);
    if (is_bad)
        failures_.push_back(result);
    if (result.result != outcome::not_run && (is_bad || settings_.verbosity >= 0))
        terminal_.print(status_line(result));
    if (!is_bad && result.result != outcome::not_run) {
        for (const auto& note : result.notes)
            if (settings_.verbosity >= 0)
                terminal_.print(indented("note: " + printable(note, false), "          "));
        if (settings_.verbosity > 0)
            terminal_.print(output_of(result.output));
    }
    draw_progress();
}

std::string human_reporter::output_of(std::string_view output) const {
    if (output.empty())
        return {};
    const auto& look = terminal_.look();
    return look.paint(color::dim, "  --- output ---") + "\n" +
           indented(printable(output, look.has_color), "    ") + (look.has_color ? "\x1b[0m" : "");
}

// What decides how the test itself runs; the profile brings what the file says.
std::string human_reporter::reproduction(const case_result& result) const {
    auto line = fmt::format("{} {} --exact {}", shell_quote(settings_.program),
                            shell_quote(result.test.binary->location.shown_path),
                            shell_quote(result.test.info->id));
    if (settings_.is_config_named)
        line += " --config " + shell_quote(settings_.config_file);
    if (settings_.profile != "default")
        line += " --profile " + shell_quote(settings_.profile);
    for (const char* name : {"isolation", "python", "loops", "ignore-leaks", "seed"})
        if (settings_.source_of(name) >= layer::environment)
            line += fmt::format(" --{} {}", name, shell_quote(find_setting(name)->show(settings_)));
    if (settings_.timeout)
        line += " --timeout " + protocol::format_duration(*settings_.timeout);
    return printable(line, false);
}

std::string human_reporter::details(const case_result& result) const {
    const auto& look = terminal_.look();
    auto text = "\n" + status_line(result);
    for (const auto& one : result.failures) {
        const auto place = one.file.empty() ? "" : fmt::format("{}:{}: ", one.file, one.line);
        const auto head = one.kind == "check" ? place : fmt::format("{}{}: ", place, one.kind);
        text += indented(printable(head + one.message, look.has_color), "  ");
    }
    for (const auto& note : result.notes)
        text += indented(printable("note: " + note, look.has_color), "  ");
    return text + output_of(result.output) + look.paint(color::dim, "  again: ") +
           reproduction(result) + "\n";
}

std::string human_reporter::summary(const run_finished& event) const {
    const auto& look = terminal_.look();
    std::vector<std::string> parts;
    const auto add = [&](outcome result, std::string_view word) {
        if (const auto count = totals_.of(result); count > 0)
            parts.push_back(look.paint(color_of(result), fmt::format("{} {}", count, word)));
    };
    add(outcome::passed, "passed");
    if (flaky_ > 0)
        parts.push_back(look.paint(color::yellow, fmt::format("{} of them flaky", flaky_)));
    add(outcome::failed, "failed");
    add(outcome::timed_out, "timed out");
    add(outcome::crashed, "crashed");
    add(outcome::skipped, "skipped");
    add(outcome::not_run, "not run");
    if (listing_problems_ > 0)
        parts.push_back(look.paint(
            color::red, plural(listing_problems_, "binary not listed", "binaries not listed")));
    return fmt::format("{:>{}} [{:8.3f}s] {} run: {}\n", "Summary", label_width,
                       seconds(event.duration), plural(totals_.run(), "test", "tests"),
                       parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", ")));
}

void human_reporter::take(const run_finished& event) {
    terminal_.set_foot("");
    std::string text;
    if (!failures_.empty())
        text += "\n" + terminal_.look().paint(color::bold, "Failures:") + "\n";
    for (const auto& result : failures_)
        text += details(result);
    text += recap_.text(terminal_.look());
    const auto rule = fmt::format("{:->{}}\n", "", 60);
    terminal_.print(text + (settings_.verbosity >= 0 || !text.empty() ? rule : "") +
                    summary(event));
}

void human_reporter::take(const run_stopping& event) {
    std::string_view text = "stopping: the run's time is over; ending the tests that still run";
    if (event.reason == stop_reason::interrupted)
        text = event.is_kill ? "killing the tests that still run"
                             : "interrupted: ending the tests that still run "
                               "(again to kill them)";
    terminal_.print_error(
        fmt::format("{} {}\n", terminal_.look().paint(color::yellow, "bridge-test:"), text));
}

void human_reporter::take(const clock_ticked&) {
    draw_progress();
}

void human_reporter::draw_progress() {
    if (!terminal_.is_interactive() || running_.empty() || !settings_.is_capturing)
        return;
    const auto now = std::chrono::steady_clock::now();
    if (now - drawn_ < shortest_look)
        return;
    drawn_ = now;
    progress line{totals_.run(), tests_, totals_.bad(), now - began_, {}};
    for (const auto& one : running_)
        line.running.push_back(
            fmt::format("{} ({:.0f}s)", title(one.test), seconds(now - one.since)));
    terminal_.set_foot(terminal_.look().paint(line.bad > 0 ? color::red : color::cyan,
                                              progress_line(line, terminal_.columns() - 1)));
}

} // namespace bridge::cli
