// SPDX-License-Identifier: Apache-2.0
// Writing and reading events.
#include <bridge/protocol/event.hpp>

#include <boost/json/serialize.hpp>

#include <bridge/protocol/listing.hpp>

#include "protocol/fields.hpp"
#include "protocol/names.hpp"

namespace bridge::protocol {

namespace {

constexpr name_table<failure_kind, 5> kinds{{
    {failure_kind::check, "check"},
    {failure_kind::exception, "exception"},
    {failure_kind::leak, "leak"},
    {failure_kind::background, "background"},
    {failure_kind::timeout, "timeout"},
}};

json::object head(std::string_view name, std::string_view id) {
    return {{"v", version},
            {"event", json::string_view(name.data(), name.size())},
            {"id", to_json_text(id)}};
}

json::object to_json(const test_started& value) {
    return head("test.started", value.id);
}

json::object to_json(const test_failure& value) {
    auto object = head("test.failure", value.id);
    object["kind"] = json::string_view(to_string(value.kind));
    object["message"] = to_json_text(value.message);
    object["file"] = to_json_text(value.file);
    object["line"] = value.line;
    return object;
}

json::object to_json(const test_note& value) {
    auto object = head("test.note", value.id);
    object["message"] = to_json_text(value.message);
    return object;
}

json::object to_json(const test_crashed& value) {
    auto object = head("test.crashed", value.id);
    object["message"] = to_json_text(value.message);
    return object;
}

json::object to_json(const test_explaining& value) {
    auto object = head("test.explaining", value.id);
    object["over"] = value.is_over;
    return object;
}

json::object to_json(const test_finished& value) {
    auto object = head("test.finished", value.id);
    object["outcome"] = json::string_view(to_string(value.result));
    object["message"] = to_json_text(value.message);
    object["duration_ms"] = value.duration_ms;
    return object;
}

test_failure to_failure(const field_reader& fields) {
    const auto kind = parse_failure_kind(fields.text("kind"));
    if (!kind)
        fields.fail("kind", "is none of check, exception, leak, background, timeout");
    return {fields.text("id"), *kind, fields.text("message"), fields.text_or_empty("file"),
            fields.integer_or("line", 0, 0)};
}

test_finished to_finished(const field_reader& fields) {
    const auto result = parse_outcome(fields.text("outcome"));
    if (!result || *result == outcome::crashed || *result == outcome::not_run)
        fields.fail("outcome", "is none of passed, failed, skipped, timed_out");
    return {fields.text("id"), *result, fields.text_or_empty("message"),
            fields.number("duration_ms", 0)};
}

} // namespace

std::string_view to_string(failure_kind value) noexcept {
    return name_of(kinds, value);
}

std::optional<failure_kind> parse_failure_kind(std::string_view name) noexcept {
    return value_of(kinds, name);
}

std::string write_event(const event& value) {
    const auto object = std::visit([](const auto& one) { return to_json(one); }, value);
    return json::serialize(object) + "\n";
}

std::optional<event> parse_event(std::string_view line) {
    const auto object = parse_object(line, "the event");
    require_version(object, "v", version, "the event");
    field_reader fields(object, "the event");
    const auto name = fields.text("event");
    if (name == "test.started")
        return test_started{fields.text("id")};
    if (name == "test.failure")
        return to_failure(fields);
    if (name == "test.note")
        return test_note{fields.text("id"), fields.text("message")};
    if (name == "test.crashed")
        return test_crashed{fields.text("id"), fields.text("message")};
    if (name == "test.explaining")
        return test_explaining{fields.text("id"), fields.flag_or_false("over")};
    if (name == "test.finished")
        return to_finished(fields);
    return std::nullopt;
}

} // namespace bridge::protocol
