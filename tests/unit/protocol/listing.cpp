// SPDX-License-Identifier: Apache-2.0
// Listings: written and read back, and every way in which one can be wrong.
#include <bridge/protocol/listing.hpp>

#include <string>

#include "check.hpp"

namespace {

using namespace bridge::protocol;

std::string why_not(std::string_view text) {
    try {
        parse_listing(text);
    } catch (const protocol_error& error) {
        return error.what();
    }
    return {};
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

std::string with_tests(const std::string& tests) {
    return R"({"bridge_protocol":1,"binary":"b","tests":[)" + tests + "]}";
}

// A test's JSON with fields in place of, or after, the usual ones.
std::string test_json(const std::string& id, const std::string& more = "") {
    return "{\"id\":\"" + id + R"(","suite":"s","name":"n","kind":"async")" + more + "}";
}

TEST("a listing is read back as it was written") {
    listing value{"http_tests", {}};
    value.tests.push_back({"s.a b",
                           "s",
                           "a b",
                           test_kind::async,
                           "/x/s.cpp",
                           12,
                           {"net", "slow"},
                           std::chrono::milliseconds(1)});
    value.tests.push_back({"s.c", "s", "c", test_kind::sync, "", 0, {}, std::chrono::hours(1)});
    const auto back = parse_listing(write_listing(value));
    CHECK(back.binary == "http_tests" && back.tests.size() == 2);
    CHECK(back.tests[0].id == "s.a b" && back.tests[0].suite == "s" && back.tests[0].name == "a b");
    CHECK(back.tests[0].kind == test_kind::async && back.tests[1].kind == test_kind::sync);
    CHECK(back.tests[0].file == "/x/s.cpp" && back.tests[0].line == 12);
    CHECK(back.tests[0].tags == std::vector<std::string>({"net", "slow"}));
    CHECK(back.tests[0].timeout == std::chrono::milliseconds(1));
    CHECK(back.tests[1].timeout == std::chrono::hours(1));
}

TEST("what concerns the order is read back, and not written where it says nothing") {
    listing value{"b", {}};
    value.tests.resize(3);
    for (int i = 0; i < 3; ++i)
        value.tests[i].id = "s." + std::to_string(i);
    value.tests[0].group = "port";
    value.tests[1].is_serial = true;
    value.tests[2].retries = 3;
    const auto text = write_listing(value);
    const auto back = parse_listing(text).tests;
    CHECK(back[0].group == "port" && !back[0].is_serial && back[0].retries == 0);
    CHECK(back[1].group.empty() && back[1].is_serial && back[2].retries == 3);
    CHECK(text.find("group") == text.rfind("group") && text.find("serial") == text.rfind("serial"));
    CHECK(has(why_not(with_tests(test_json("s.n", R"(,"serial":1)"))), "\"serial\" must be true"));
    CHECK(has(why_not(with_tests(test_json("s.n", R"(,"retries":-1)"))), "\"retries\""));
}

TEST("no tests is a listing too") {
    CHECK(parse_listing(write_listing({"b", {}})).tests.empty());
}

TEST("the path is written for people's scripts and ignored when read") {
    const auto text = write_listing({"b", {}}, "/build/b");
    CHECK(has(text, R"("path":"/build/b")"));
    CHECK(parse_listing(text).binary == "b");
    CHECK(!has(write_listing({"b", {}}), "path"));
}

TEST("what something else wrote before it is shown") {
    const auto text = "[library] 3 devices\n" + write_listing({"b", {}});
    CHECK(has(why_not(text), "something else wrote to its standard output before the listing:\n"
                             "[library] 3 devices"));
}

TEST("it is one line, with bytes that are not UTF-8 escaped") {
    listing value{"b\n", {{"s.\xFF\n", "s", "\xFF\n", test_kind::async, "f", 1, {"\xC0"}}}};
    const auto text = write_listing(value);
    CHECK(!has(text, "\n"));
    CHECK(parse_listing(text).tests[0].id == "s.\\xff\n");
    CHECK(parse_listing(text).tests[0].tags[0] == "\\xc0");
}

TEST("file, line, tags and time-out have defaults; unknown keys are ignored") {
    const auto tests = parse_listing(with_tests(test_json("s.n", R"(,"later":[{}])"))).tests;
    CHECK(tests[0].file.empty() && tests[0].line == 0 && tests[0].tags.empty());
    CHECK(tests[0].timeout == std::chrono::seconds(10));
}

TEST("an id twice is refused, with both places") {
    const auto text = why_not(with_tests(test_json("s.a", R"(,"file":"a.cpp","line":3)") + "," +
                                         test_json("s.b") + "," + test_json("s.a")));
    CHECK(has(text, "\"s.a\" twice: at a.cpp:3 and at an unnamed file"));
}

TEST("what is not a listing is refused") {
    CHECK(has(why_not(""), "the listing is not one JSON object"));
    CHECK(has(why_not("Usage: prog [OPTION]"), "\"Usage: prog"));
    CHECK(has(why_not("[1]"), "not an object"));
    CHECK(has(why_not(with_tests("") + with_tests("")), "is not one JSON object"));
    CHECK(has(why_not("{}"), "has no field \"bridge_protocol\""));
    CHECK(has(why_not(R"({"bridge_protocol":2,"binary":"b","tests":[]})"), "must be 1"));
    CHECK(has(why_not(R"({"bridge_protocol":1,"tests":[]})"), "\"binary\" is missing"));
    CHECK(has(why_not(R"({"bridge_protocol":1,"binary":"b"})"), "\"tests\" is missing"));
    CHECK(has(why_not(R"({"bridge_protocol":1,"binary":"b","tests":{}})"), "must be an array"));
}

TEST("a wrong test is named by its place, its wrong field by its name") {
    const auto good = test_json("s.a");
    CHECK(has(why_not(with_tests(good + ",7")), "the listing's test 2 is not an object"));
    CHECK(has(why_not(with_tests(good + R"(,{"suite":"s"})")), "test 2: field \"id\" is missing"));
    CHECK(has(why_not(with_tests(test_json(""))), "test 1: field \"id\" is empty"));
    CHECK(has(why_not(with_tests(test_json("a\\u0000b"))), "field \"id\" has a zero byte"));
    CHECK(has(why_not(with_tests(R"({"id":"a","suite":"s","name":"n","kind":"thread"})")),
              "field \"kind\" must be \"async\" or \"sync\""));
    CHECK(
        has(why_not(with_tests(test_json("a", R"(,"tags":"net")"))), "\"tags\" must be an array"));
    CHECK(has(why_not(with_tests(test_json("a", R"(,"tags":[1])"))), "must hold strings only"));
    CHECK(has(why_not(with_tests(test_json("a", R"(,"file":null)"))), "\"file\" must be a string"));
}

TEST("a time-out must be a whole number of milliseconds from 1") {
    for (auto value : {"0", "-1", "1.5", "\"5s\"", "null", "99999999999"})
        CHECK(has(why_not(with_tests(test_json("a", std::string(",\"timeout_ms\":") + value))),
                  "field \"timeout_ms\""));
}

TEST("ten thousand tests are read") {
    listing value{"b", std::vector<test_info>(10'000)};
    for (std::size_t i = 0; i < value.tests.size(); ++i)
        value.tests[i].id = "s." + std::to_string(i);
    CHECK(parse_listing(write_listing(value)).tests.back().id == "s.9999");
}

} // namespace

int main() {
    return check::run();
}
