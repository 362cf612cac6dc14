// SPDX-License-Identifier: Apache-2.0
// The control socket's lines: written and read back, and every way in which one can be wrong.
#include <bridge/protocol/serving.hpp>

#include <string>

#include "check.hpp"

namespace {

using namespace bridge::protocol;

template<class Event>
Event read_back(const Event& event) {
    const auto line = write_serving_event(event);
    CHECK(line.back() == '\n' && line.find('\n') == line.size() - 1);
    return std::get<Event>(parse_serving_event(line));
}

std::string why_not(const std::string& line) {
    try {
        parse_serving_event(line);
    } catch (const protocol_error& error) {
        return error.what();
    }
    return {};
}

TEST("a command is read back as it was written") {
    const auto plain = parse_command(write_command({"s.a\n\xFF", std::nullopt}));
    CHECK(plain.id == "s.a\n\\xff" && !plain.timeout);
    const auto timed = parse_command(write_command({"s.a", std::chrono::milliseconds(1500)}));
    CHECK(timed.timeout == std::chrono::milliseconds(1500));
}

TEST("every event is read back as it was written") {
    CHECK(read_back(serving_refused{"3 threads\n"}).message == "3 threads\n");
    CHECK(read_back(process_started{4711}).pid == 4711);
    read_back(test_done{});
    for (const auto& end : {process_ended{false, 0, false}, process_ended{false, 77, true},
                            process_ended{true, 11, false}}) {
        const auto back = read_back(end);
        CHECK(back.by_signal == end.by_signal && back.number == end.number);
        CHECK(back.left == end.left);
    }
}

TEST("what is not an event says what is wrong") {
    CHECK(why_not("").find("not one JSON object") != std::string::npos);
    CHECK(why_not(R"({"event":"test.done"})").find("\"v\"") != std::string::npos);
    CHECK(why_not(R"({"v":2,"event":"test.done"})").find("version") != std::string::npos);
    CHECK(why_not(R"({"v":1,"event":"test.gone"})").find("none of the") != std::string::npos);
    CHECK(why_not(R"({"v":1,"event":"process.started"})").find("\"pid\"") != std::string::npos);
    // Nothing that a signal could be sent to by mistake.
    for (const char* pid : {"0", "1", "-5", "1.5", "\"7\""})
        CHECK(!why_not(std::string(R"({"v":1,"event":"process.started","pid":)") + pid + "}")
                   .empty());
    CHECK(why_not(R"({"v":1,"event":"process.ended"})").find("exit_code") != std::string::npos);
}

TEST("what is not a command is refused") {
    for (const char* line : {"", "{}", R"({"v":1,"command":"stop"})", R"({"v":1,"command":"run"})",
                             R"({"v":1,"command":"run","id":"a","timeout_ms":0})"})
        CHECK_THROWS(protocol_error, parse_command(line));
}

} // namespace

int main() {
    return check::run();
}
