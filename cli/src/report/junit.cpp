// SPDX-License-Identifier: Apache-2.0
// One testsuite per binary, one testcase per test, at most one failure or error in each.
#include "report/junit.hpp"

#include <algorithm>
#include <map>
#include <system_error>
#include <tuple>

#include <fmt/format.h>

#include "base/error.hpp"
#include "output/atomic_file.hpp"
#include "output/time_text.hpp"
#include "output/xml.hpp"
#include "report/totals.hpp"

namespace bridge::cli {

using protocol::outcome;

namespace {

struct suite {
    std::string name;
    totals counts;
    std::size_t listing_errors = 0;
    std::chrono::nanoseconds duration{0};
    std::string cases;

    std::size_t errors() const {
        return counts.of(outcome::crashed) + counts.of(outcome::timed_out) + listing_errors;
    }

    std::size_t skipped() const {
        return counts.of(outcome::skipped) + counts.of(outcome::not_run);
    }

    std::size_t all() const { return counts.all() + listing_errors; }
};

std::string to_seconds(std::chrono::nanoseconds duration) {
    return fmt::format("{:.3f}", std::chrono::duration<double>(duration).count());
}

std::string counts_of(const suite& from) {
    return fmt::format(R"(tests="{}" failures="{}" errors="{}" time="{}")", from.all(),
                       from.counts.of(outcome::failed), from.errors(), to_seconds(from.duration));
}

std::string element(std::string_view tag, std::string_view type, std::string_view message,
                    std::string_view body) {
    const auto type_attribute =
        type.empty() ? std::string() : fmt::format(R"( type="{}")", xml_attribute(type));
    return fmt::format("      <{0} message=\"{1}\"{2}>{3}</{0}>\n", tag, xml_attribute(message),
                       type_attribute, xml_text(body));
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\n") == std::string_view::npos;
}

// Of what has words in it.
std::string first_line(std::string_view text, std::string_view otherwise) {
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        if (!is_blank(line))
            return std::string(line);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return std::string(otherwise);
}

std::string describe(const failure& one) {
    const auto place = one.file.empty() ? "" : fmt::format("{}:{}: ", one.file, one.line);
    return fmt::format("{}{}: {}\n", place, one.kind, one.message);
}

std::string body_of(const case_result& result) {
    std::string body = is_blank(result.message) ? "" : result.message + "\n";
    for (const auto& one : result.failures)
        body += describe(one);
    for (const auto& note : result.notes)
        body += "note: " + note + "\n";
    return body.empty() ? std::string(to_string(result.result)) : body;
}

std::string message_of(const case_result& result) {
    const bool has_failure = is_blank(result.message) && !result.failures.empty();
    return first_line(has_failure ? result.failures.front().message : result.message,
                      to_string(result.result));
}

std::string type_of(const case_result& result) {
    if (result.result == outcome::timed_out)
        return "timeout";
    if (result.result == outcome::crashed)
        return "crash";
    return result.failures.empty() ? "failed" : result.failures.front().kind;
}

std::string verdict_of(const case_result& result) {
    switch (result.result) {
    case outcome::passed:
        return {};
    case outcome::skipped:
    case outcome::not_run:
        return element("skipped", "", message_of(result), body_of(result));
    case outcome::timed_out:
    case outcome::crashed:
        return element("error", type_of(result), message_of(result), body_of(result));
    case outcome::failed:
        break;
    }
    return element("failure", type_of(result), message_of(result), body_of(result));
}

// An attempt before the last one: "flaky" if the test passed in the end, else "rerun".
std::string attempt_of(const case_result& attempt, bool is_flaky) {
    const auto tag = fmt::format("{}{}", is_flaky ? "flaky" : "rerun",
                                 attempt.result == outcome::failed ? "Failure" : "Error");
    const auto output = attempt.output.empty()
                            ? std::string()
                            : fmt::format("<system-out>{}</system-out>", xml_text(attempt.output));
    return fmt::format("      <{0} message=\"{1}\" type=\"{2}\"><stackTrace>{3}</stackTrace>{4}"
                       "</{0}>\n",
                       tag, xml_attribute(message_of(attempt)), xml_attribute(type_of(attempt)),
                       xml_text(body_of(attempt)), output);
}

std::string place_of(const protocol::test_info& test) {
    if (test.file.empty())
        return {};
    return fmt::format(R"( file="{}" line="{}")", xml_attribute(test.file), test.line);
}

// Not the test's name alone, which several ids may share (one for each event loop).
std::string_view name_in_suite(const protocol::test_info& test) {
    std::string_view id = test.id;
    const bool has_suite = id.size() > test.suite.size() + 1 && id.starts_with(test.suite + ".");
    return has_suite ? id.substr(test.suite.size() + 1) : id;
}

std::string case_of(const case_result& result) {
    const auto& test = *result.test.info;
    auto inside = verdict_of(result);
    for (const auto& one : result.earlier)
        inside += attempt_of(one, result.is_flaky());
    if (!result.output.empty())
        inside += fmt::format("      <system-out>{}</system-out>\n", xml_text(result.output));
    const auto head = fmt::format(R"(    <testcase name="{}" classname="{}"{} time="{}")",
                                  xml_attribute(name_in_suite(test)),
                                  xml_attribute(result.test.binary->name + "." + test.suite),
                                  place_of(test), to_seconds(result.duration));
    return inside.empty() ? head + "/>\n" : head + ">\n" + inside + "    </testcase>\n";
}

suite to_suite(const listing_problem& problem) {
    suite result{problem.binary, {}, 1, {}, {}};
    result.cases =
        fmt::format("    <testcase name=\"(listing)\" classname=\"{}\" time=\"0.000\">\n"
                    "{}    </testcase>\n",
                    xml_attribute(problem.binary),
                    element("error", "listing", first_line(problem.message, "not listed"),
                            is_blank(problem.message) ? "not listed" : problem.message));
    return result;
}

// Not the order in which the tests ended: a report is the same for the same results, and one that
// was merged from shards equals that of the whole.
void sort(std::vector<case_result>& results) {
    const auto key = [](const case_result& one) {
        const auto& test = *one.test.info;
        return std::tie(one.test.binary->name, test.suite, test.file, test.line, test.id);
    };
    std::stable_sort(results.begin(), results.end(),
                     [&](const auto& left, const auto& right) { return key(left) < key(right); });
}

std::vector<suite> to_suites(std::vector<case_result> results,
                             const std::vector<listing_problem>& problems) {
    sort(results);
    std::vector<suite> suites;
    std::map<const test_binary*, std::size_t> places;
    for (const auto& result : results) {
        const auto [place, is_new] = places.emplace(result.test.binary, suites.size());
        if (is_new)
            suites.push_back({result.test.binary->name, {}, 0, {}, {}});
        auto& into = suites[place->second];
        into.counts.add(result.result);
        into.duration += result.duration;
        into.cases += case_of(result);
    }
    for (const auto& problem : problems)
        suites.push_back(to_suite(problem));
    return suites;
}

} // namespace

junit_reporter::junit_reporter(std::string path) : path_(std::move(path)) {
    if (const auto reason = why_not_writable(path_); !reason.empty())
        throw expected_error(exit_code::report_not_written,
                             fmt::format("cannot write the report {}: {}", path_, reason));
}

void junit_reporter::on(const run_event& event) {
    if (const auto* first = std::get_if<run_started>(&event)) {
        started_ = first->time;
    } else if (const auto* failed = std::get_if<listing_failed>(&event)) {
        problems_.push_back(failed->problem);
    } else if (const auto* finished = std::get_if<case_finished>(&event)) {
        results_.push_back(finished->result);
        if (protocol::is_success(finished->result.result))
            results_.back().output.clear(); // a green run's report stays small
    } else if (const auto* last = std::get_if<run_finished>(&event)) {
        try {
            write_file(path_, document(*last));
        } catch (const std::system_error& error) {
            throw report_error(
                fmt::format("cannot write the report {}: {}", path_, error.code().message()));
        }
    }
}

std::string junit_reporter::document(const run_finished& event) const {
    const auto suites = to_suites(results_, problems_);
    suite all{"bridge-test", {}, problems_.size(), event.duration, {}};
    for (const auto& result : results_)
        all.counts.add(result.result);
    auto text = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                            "<testsuites name=\"bridge-test\" {}>\n",
                            counts_of(all));
    for (const auto& one : suites)
        text += fmt::format("  <testsuite name=\"{}\" {} skipped=\"{}\" timestamp=\"{}\">\n"
                            "{}  </testsuite>\n",
                            xml_attribute(one.name), counts_of(one), one.skipped(),
                            to_timestamp(started_), one.cases);
    return text + "</testsuites>\n";
}

} // namespace bridge::cli
