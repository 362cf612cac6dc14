// SPDX-License-Identifier: Apache-2.0
// Events: written and read back, and every way in which a line can be wrong.
#include <bridge/protocol/event.hpp>

#include <algorithm>
#include <string>

#include "check.hpp"

namespace {

using namespace bridge::protocol;

std::string why_not(std::string_view line) {
    try {
        parse_event(line);
    } catch (const protocol_error& error) {
        return error.what();
    }
    return {};
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

template<class Event>
Event round_trip(const Event& value) {
    const auto line = write_event(value);
    CHECK(std::count(line.begin(), line.end(), '\n') == 1 && line.back() == '\n');
    return std::get<Event>(parse_event(line).value());
}

TEST("every event is read back as it was written") {
    CHECK(round_trip(test_started{"s.a"}).id == "s.a");
    const auto failed =
        round_trip(test_failure{"s.a", failure_kind::leak, "two\nlines", "x.cpp", 7});
    CHECK(failed.id == "s.a" && failed.kind == failure_kind::leak);
    CHECK(failed.message == "two\nlines" && failed.file == "x.cpp" && failed.line == 7);
    CHECK(round_trip(test_note{"s.a", "seed 5"}).message == "seed 5");
    CHECK(round_trip(test_crashed{"s.a", "it was at x.cpp:7 in f"}).message ==
          "it was at x.cpp:7 in f");
    CHECK(!round_trip(test_explaining{"s.a"}).is_over);
    CHECK(round_trip(test_explaining{"s.a", true}).is_over);
    const auto last = round_trip(test_finished{"s.a", outcome::skipped, "no net", 1.25});
    CHECK(last.result == outcome::skipped && last.message == "no net" && last.duration_ms == 1.25);
}

TEST("every kind of failure has a name that is read back") {
    for (auto kind : {failure_kind::check, failure_kind::exception, failure_kind::leak,
                      failure_kind::background, failure_kind::timeout})
        CHECK(parse_failure_kind(to_string(kind)) == kind);
    CHECK(!parse_failure_kind("protocol"));
}

TEST("bytes that are not UTF-8 are escaped, NUL survives") {
    const auto note = round_trip(test_note{"s.\xFF", std::string("a\0\xC3(", 4)});
    CHECK(note.id == "s.\\xff");
    CHECK(note.message == std::string("a\0\\xc3(", 7));
}

TEST("a message of megabytes goes through") {
    const std::string big(3 * 1024 * 1024, '\n');
    CHECK(round_trip(test_note{"s.a", big}).message == big);
}

TEST("the line end is optional, unknown keys and unknown events are ignored") {
    CHECK(parse_event(R"({"v":1,"event":"test.started","id":"a","later":{"x":[1]}})"));
    CHECK(parse_event("{\"v\":1,\"event\":\"test.started\",\"id\":\"a\"}\r\n"));
    CHECK(!parse_event(R"({"v":1,"event":"test.phase","id":"a"})"));
    CHECK(!parse_event(R"({"v":1,"event":"run.started"})"));
}

TEST("file and line of a failure and message of an end may be missing") {
    const auto failed =
        parse_event(R"({"v":1,"event":"test.failure","id":"a","kind":"check","message":"m"})");
    CHECK(std::get<test_failure>(failed.value()).file.empty());
    const auto last = parse_event(
        R"({"v":1,"event":"test.finished","id":"a","outcome":"passed","duration_ms":3})");
    CHECK(std::get<test_finished>(last.value()).duration_ms == 3);
}

TEST("what is no JSON object is refused, with the beginning of what came") {
    for (auto line : {"", "\n", "garbage", "{", "{}{}", "{\"v\":1", "\xFF\xFE", "{'v':1}"})
        CHECK(has(why_not(line), "is not one JSON object"));
    for (auto line : {"1", "null", "[]", "\"text\""})
        CHECK(has(why_not(line), "not an object"));
    CHECK(has(why_not("Traceback (most recent call last)"), "\"Traceback (most"));
    CHECK(why_not(std::string(100'000, 'x')).size() < 300);
}

TEST("deep nesting is refused, not a stack overflow") {
    CHECK(!why_not("{\"v\":1,\"x\":" + std::string(100'000, '[')).empty());
}

TEST("another version is refused and named") {
    for (auto line : {R"({"v":2,"event":"x"})", R"({"v":"1","event":"x"})",
                      R"({"v":1.0,"event":"x"})", R"({"v":null,"event":"x"})"})
        CHECK(has(why_not(line), "another version of the protocol; field \"v\" must be 1"));
    CHECK(has(why_not(R"({"event":"test.started","id":"a"})"), "has no field \"v\""));
}

TEST("a missing or ill-typed field is named") {
    CHECK(has(why_not(R"({"v":1})"), "field \"event\" is missing"));
    CHECK(has(why_not(R"({"v":1,"event":7})"), "field \"event\" must be a string"));
    CHECK(has(why_not(R"({"v":1,"event":"test.started"})"), "field \"id\" is missing"));
    CHECK(has(why_not(R"({"v":1,"event":"test.note","id":"a"})"), "\"message\" is missing"));
    CHECK(has(why_not(R"({"v":1,"event":"test.failure","id":"a","kind":"odd","message":"m"})"),
              "field \"kind\" is none of"));
    CHECK(has(why_not(R"({"v":1,"event":"test.failure","id":"a","kind":"check","message":"m",
                         "line":-1})"),
              "field \"line\" must be 0 or more"));
    CHECK(has(why_not(R"({"v":1,"event":"test.failure","id":"a","kind":"check","message":"m",
                         "line":4294967296})"),
              "field \"line\" must be a whole number"));
}

TEST("a test cannot say of itself that it crashed or did not run, nor take a negative time") {
    const std::string head = R"({"v":1,"event":"test.finished","id":"a","duration_ms":1,)";
    for (auto word : {"crashed", "not_run", "maybe"})
        CHECK(has(why_not(head + "\"outcome\":\"" + word + "\"}"), "field \"outcome\""));
    CHECK(has(why_not(R"({"v":1,"event":"test.finished","id":"a","outcome":"passed"})"),
              "field \"duration_ms\" is missing"));
    CHECK(has(
        why_not(R"({"v":1,"event":"test.finished","id":"a","outcome":"passed","duration_ms":-1})"),
        "field \"duration_ms\" is too small"));
}

} // namespace

int main() {
    return check::run();
}
