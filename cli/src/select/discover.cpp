// SPDX-License-Identifier: Apache-2.0
// Listing, in parallel, with every way in which it can go wrong.
#include "select/discover.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include <bridge/protocol/duration.hpp>
#include <bridge/protocol/listing.hpp>
#include <bridge/protocol/text.hpp>

#include "children/explain_start.hpp"
#include "children/test_command.hpp"
#include "process/capture.hpp"
#include "settings/options.hpp"

namespace bridge::cli {

namespace {

constexpr std::size_t largest_listing = 64 * 1024 * 1024;

struct answer {
    std::string text;
    capture errors{2048, 2048};
    bool is_too_long = false;
    worker_end end;
    std::string start_error;
    std::weak_ptr<child> process;
};

std::string with_errors(std::string message, const answer& from) {
    auto said = protocol::to_valid_utf8(from.errors.text());
    while (!said.empty() && said.back() == '\n')
        said.pop_back();
    return said.empty() ? message : message + "; it said:\n" + said;
}

// What is wrong with an answer, before its text is looked at; empty when nothing is.
std::string find_problem(const answer& from, std::chrono::milliseconds timeout) {
    if (!from.start_error.empty())
        return from.start_error;
    if (from.is_too_long)
        return with_errors("it wrote more than 64 MiB when asked for its tests; "
                           "it is not a test binary",
                           from);
    if (from.end.cause == ending::timed_out)
        return with_errors(fmt::format("it did not list its tests within {} and was ended; "
                                       "--list-timeout gives it more time",
                                       protocol::format_duration(timeout)),
                           from);
    if (from.end.status.by_signal)
        return with_errors("it crashed while listing its tests: " + from.end.status.describe(),
                           from);
    if (!from.end.status.is_exit(0))
        return with_errors("it did not list its tests: " + from.end.status.describe(), from);
    if (from.text.empty())
        return with_errors("it is not a test binary: it printed nothing when asked for its tests; "
                           "link it to bridge::harness_main",
                           from);
    return {};
}

class lister {
public:
    lister(supervisor& processes, std::vector<binary_location> binaries, const options& settings)
        : processes_(processes), binaries_(std::move(binaries)), settings_(settings),
          answers_(binaries_.size()) {}

    void run() {
        fill();
        processes_.run_until([this] { return running_ == 0; });
    }

    void collect(discovered& into) const;

private:
    void fill();
    void start(std::size_t index);
    void finish(std::size_t index, const worker_end& end);

    supervisor& processes_;
    std::vector<binary_location> binaries_;
    const options& settings_;
    std::vector<answer> answers_;
    std::size_t next_ = 0;
    unsigned running_ = 0;
    bool is_waiting_for_room_ = false; // until one that runs has ended
};

void lister::fill() {
    is_waiting_for_room_ = false;
    while (!is_waiting_for_room_ && running_ < settings_.jobs && next_ < binaries_.size() &&
           processes_.stopped() == stop_reason::none)
        start(next_++);
}

void lister::start(std::size_t index) {
    const auto& binary = binaries_[index];
    auto& answer = answers_[index];
    worker_sinks sinks;
    sinks.output = [&answer](std::string_view bytes) {
        answer.is_too_long =
            answer.is_too_long || answer.text.size() + bytes.size() > largest_listing;
        if (!answer.is_too_long)
            answer.text += bytes;
        else if (const auto process = answer.process.lock())
            process->kill(); // or it would go on until its time is over
    };
    sinks.messages = [&answer](std::string_view bytes) { answer.errors.append(bytes); };
    sinks.end = [this, index](const worker_end& end) { finish(index, end); };
    try {
        answer.process =
            processes_.start(test_command(binary, {"--list", "--format", "json"}), wiring::listing,
                             {settings_.list_timeout}, std::move(sinks));
        ++running_;
    } catch (const std::system_error& error) {
        if (is_shortage(error) && running_ > 0) {
            is_waiting_for_room_ = true;
            --next_;
            return;
        }
        answer.start_error = explain_start(error, binary.program());
    }
}

void lister::finish(std::size_t index, const worker_end& end) {
    answers_[index].end = end;
    --running_;
    fill();
}

void lister::collect(discovered& into) const {
    for (std::size_t i = 0; i < next_; ++i) {
        const auto& binary = binaries_[i];
        if (answers_[i].end.cause == ending::stopped && !answers_[i].is_too_long)
            continue; // interrupted: nothing is known about it
        auto problem = find_problem(answers_[i], settings_.list_timeout);
        if (problem.empty()) {
            try {
                auto listing = protocol::parse_listing(answers_[i].text);
                for (auto& test : listing.tests)
                    test.timeout = binary.timeout.value_or(test.timeout);
                into.binaries.push_back(
                    {binary, listing.binary, std::move(listing.tests), std::move(listing.serves)});
                continue;
            } catch (const protocol::protocol_error& error) {
                problem = with_errors(fmt::format("it did not list its tests as a test binary "
                                                  "does: {}",
                                                  error.what()),
                                      answers_[i]);
            }
        }
        into.problems.push_back({binary.shown_path, std::move(problem)});
    }
}

// Two binaries of one name would be one suite in every report.
void make_names_unique(std::vector<test_binary>& binaries) {
    std::map<std::string, int> uses;
    for (const auto& binary : binaries)
        ++uses[binary.name];
    for (auto& binary : binaries)
        if (uses[binary.name] > 1) {
            const auto folder = std::filesystem::path(binary.location.path).parent_path();
            binary.name = folder.filename().string() + "/" + binary.name;
        }
    uses.clear();
    for (auto& binary : binaries)
        if (uses[binary.name]++ > 0)
            binary.name = binary.location.path;
}

// In place of what the manifest says; the second is for what tests start.
void choose_python(binary_location& binary, const std::string& python) {
    std::error_code error;
    const bool is_environment = std::filesystem::is_directory(python, error);
    std::erase_if(binary.environment, [](const auto& one) {
        return one.starts_with("VIRTUAL_ENV=") || one.starts_with("BRIDGE_TEST_PYTHON=");
    });
    binary.environment.push_back("BRIDGE_TEST_PYTHON=" + python);
    binary.environment.push_back("VIRTUAL_ENV=" + (is_environment ? python : ""));
}

void set_variable(binary_location& binary, const std::string& name, const std::string& value) {
    std::erase_if(binary.environment, [&](const auto& one) { return one.starts_with(name + "="); });
    binary.environment.push_back(name + "=" + value);
}

// What a binary reads by itself, too, without the runner.
void choose_how_tests_run(binary_location& binary, const options& settings) {
    if (!settings.python.empty())
        choose_python(binary, settings.python);
    if (!settings.loops.empty())
        set_variable(binary, "BRIDGE_TEST_LOOPS", settings.loops);
    if (settings.requires_loops)
        set_variable(binary, "BRIDGE_TEST_REQUIRE_LOOPS", "1");
    if (!settings.ignored_leaks.empty())
        set_variable(binary, "BRIDGE_TEST_IGNORE_LEAKS", settings.ignored_leaks);
    if (!settings.seed.empty())
        set_variable(binary, "BRIDGE_TEST_SEED", settings.seed);
}

} // namespace

discovered discover(supervisor& processes, located from, const options& settings) {
    discovered result{{}, std::move(from.problems)};
    for (auto& binary : from.binaries)
        choose_how_tests_run(binary, settings);
    lister all(processes, std::move(from.binaries), settings);
    all.run();
    all.collect(result);
    make_names_unique(result.binaries);
    return result;
}

} // namespace bridge::cli
