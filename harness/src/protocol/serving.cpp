// SPDX-License-Identifier: Apache-2.0
// Writing and reading the control socket's lines.
#include <bridge/protocol/serving.hpp>

#include <boost/json/serialize.hpp>

#include <bridge/protocol/listing.hpp>

#include "protocol/fields.hpp"

namespace bridge::protocol {

namespace {

json::object begin(json::string_view key, json::string_view word) {
    return {{"v", version}, {key, word}};
}

json::object to_json(const serving_refused& event) {
    auto object = begin("event", "serving.refused");
    object["message"] = to_json_text(event.message);
    return object;
}

json::object to_json(const process_started& event) {
    auto object = begin("event", "process.started");
    object["pid"] = event.pid;
    return object;
}

json::object to_json(const process_ended& event) {
    auto object = begin("event", "process.ended");
    object[event.by_signal ? "signal" : "exit_code"] = event.number;
    object["left"] = event.left;
    return object;
}

json::object to_json(const test_done&) {
    return begin("event", "test.done");
}

std::string to_line(const json::object& object) {
    return json::serialize(object) + "\n";
}

process_ended to_ended(const field_reader& fields) {
    process_ended event;
    const int signal = fields.integer_or("signal", 0, 1);
    event.by_signal = signal != 0;
    event.number = event.by_signal ? signal : fields.integer_or("exit_code", -1, 0);
    if (event.number < 0)
        fields.fail("exit_code", "is missing");
    event.left = fields.flag_or_false("left");
    return event;
}

} // namespace

std::string write_command(const run_command& value) {
    auto object = begin("command", "run");
    object["id"] = to_json_text(value.id);
    if (value.timeout)
        object["timeout_ms"] = value.timeout->count();
    return to_line(object);
}

std::string write_serving_event(const serving_event& value) {
    return to_line(std::visit([](const auto& one) { return to_json(one); }, value));
}

run_command parse_command(std::string_view line) {
    const auto object = parse_object(line, "the command");
    require_version(object, "v", version, "the command");
    field_reader fields(object, "the command");
    if (fields.text("command") != "run")
        fields.fail("command", "must be \"run\"");
    run_command value{fields.text("id"), std::nullopt};
    if (const int timeout = fields.integer_or("timeout_ms", 0, 1); timeout > 0)
        value.timeout = std::chrono::milliseconds(timeout);
    return value;
}

serving_event parse_serving_event(std::string_view line) {
    const auto object = parse_object(line, "the control event");
    require_version(object, "v", version, "the control event");
    field_reader fields(object, "the control event");
    const auto name = fields.text("event");
    if (name == "serving.refused")
        return serving_refused{fields.text("message")};
    if (name == "process.started") {
        const int pid = fields.integer_or("pid", 0, 2);
        if (pid == 0)
            fields.fail("pid", "is missing");
        return process_started{pid};
    }
    if (name == "process.ended")
        return to_ended(fields);
    if (name == "test.done")
        return test_done{};
    fields.fail("event", "is none of the control socket");
}

} // namespace bridge::protocol
