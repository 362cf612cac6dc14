// SPDX-License-Identifier: Apache-2.0
// Writing the log.
#include "report/report_log.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <bridge/protocol/text.hpp>

#include "output/time_text.hpp"

namespace bridge::cli {

namespace json = boost::json;

namespace {

json::string text(std::string_view bytes) {
    return json::string(protocol::to_valid_utf8(bytes));
}

double in_seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

json::object head(std::string_view event) {
    return {{"v", report_log_version}, {"event", json::string_view(event.data(), event.size())}};
}

json::object to_json(const listing_failed& event) {
    auto object = head("list.failed");
    object["binary"] = text(event.problem.binary);
    object["message"] = text(event.problem.message);
    return object;
}

json::object to_json(const warned& event) {
    auto object = head("warning");
    object["message"] = text(event.message);
    return object;
}

json::object to_json(const run_started& event) {
    auto object = head("run.started");
    object["time"] = to_timestamp(event.time);
    object["tests"] = event.tests;
    object["binaries"] = event.binaries;
    object["jobs"] = event.jobs;
    return object;
}

json::object with_test(std::string_view event, const test_case& test) {
    auto object = head(event);
    object["binary"] = text(test.binary->name);
    object["id"] = text(test.info->id);
    return object;
}

json::object to_json(const case_started& event) {
    return with_test("test.started", event.test);
}

json::array to_json(const std::vector<failure>& failures) {
    json::array list;
    for (const auto& one : failures)
        list.push_back(json::object{{"kind", text(one.kind)},
                                    {"message", text(one.message)},
                                    {"file", text(one.file)},
                                    {"line", one.line}});
    return list;
}

json::array to_json(const std::vector<std::string>& texts) {
    json::array list;
    for (const auto& one : texts)
        list.push_back(text(one));
    return list;
}

void add_result(json::object& object, const case_result& result) {
    object["outcome"] = json::string_view(to_string(result.result));
    object["message"] = text(result.message);
    object["duration_s"] = in_seconds(result.duration);
    object["failures"] = to_json(result.failures);
    object["notes"] = to_json(result.notes);
    if (!protocol::is_success(result.result))
        object["output"] = text(result.output);
}

json::object to_json(const case_slow& event) {
    auto object = with_test("test.slow", event.test);
    object["elapsed_s"] = in_seconds(event.elapsed);
    return object;
}

// In the output of the test that ends, if that is shown.
json::object to_json(const case_asked&) {
    return {};
}

json::object to_json(const case_retried& event) {
    auto object = with_test("test.retried", event.result.test);
    object["attempt"] = event.attempt;
    object["attempts"] = event.attempts;
    add_result(object, event.result);
    return object;
}

json::object to_json(const case_repeated& event) {
    auto object = with_test("test.repeated", event.result.test);
    add_result(object, event.result);
    return object;
}

json::array to_json(const std::vector<case_result>& attempts) {
    json::array list;
    for (const auto& one : attempts) {
        json::object object;
        add_result(object, one);
        list.push_back(std::move(object));
    }
    return list;
}

json::object to_json(const case_finished& event) {
    const auto& test = event.result.test;
    auto object = with_test("test.finished", test);
    object["path"] = text(test.binary->location.shown_path);
    object["suite"] = text(test.info->suite);
    object["name"] = text(test.info->name);
    object["file"] = text(test.info->file);
    object["line"] = test.info->line;
    object["tags"] = to_json(test.info->tags);
    add_result(object, event.result);
    object["earlier"] = to_json(event.result.earlier);
    return object;
}

json::object to_json(const run_stopping& event) {
    auto object = head("run.stopping");
    object["reason"] = event.reason == stop_reason::interrupted ? "interrupted" : "run_timeout";
    object["kill"] = event.is_kill;
    return object;
}

json::object to_json(const run_finished& event) {
    auto object = head("run.finished");
    object["time"] = to_timestamp(std::chrono::system_clock::now());
    object["duration_s"] = in_seconds(event.duration);
    if (event.part)
        object["shard"] = text(event.part->describe());
    return object;
}

json::object to_json(const clock_ticked&) {
    return {};
}

} // namespace

std::string write_log_line(const run_event& event) {
    const auto object = std::visit([](const auto& one) { return to_json(one); }, event);
    return object.empty() ? std::string() : json::serialize(object) + "\n";
}

void report_log_reporter::on(const run_event& event) {
    if (const auto line = write_log_line(event); !line.empty())
        file_.write(line);
}

} // namespace bridge::cli
