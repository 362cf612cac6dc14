// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/harness.hpp>

#include "choose/command_line.hpp"
#include "choose/leak_kinds.hpp"
#include "choose/registry.hpp"
#include "choose/selection.hpp"

#include "check.hpp"

#include <bridge/protocol/listing.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <vector>

namespace harness = bridge::harness;
namespace asio = boost::asio;

using harness::describe;
using namespace std::chrono_literals;

BRIDGE_SUITE("renamed")

BRIDGE_TEST(plain) {
    co_return;
}

BRIDGE_TEST(optioned, tags("net", "slow"), timeout(1500us)) {
    co_return;
}

BRIDGE_TEST_SYNC(sync, timeout(2min), tags("net"), serial("port"), retries(2)) {}

namespace {

struct unprintable {
    bool operator==(const unprintable&) const = default;
};

enum class color { red = 7 };

template<class Comparison>
harness::detail::judgement judged(Comparison&& comparison) {
    return harness::detail::judge(std::forward<Comparison>(comparison));
}

harness::command_line parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "program");
    return harness::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

} // namespace

TEST("tests are listed in the order of their definition, with their options") {
    const auto tests = harness::collect_tests();
    CHECK(tests.size() == 3);
    CHECK(tests[0].info.id == "renamed.plain");
    CHECK(tests[0].info.timeout == 10s);
    CHECK(tests[1].info.timeout == 2ms); // rounded up
    CHECK((tests[1].info.tags == std::vector<std::string>{"net", "slow"}));
    CHECK(tests[2].info.kind == bridge::protocol::test_kind::sync);
    CHECK(tests[2].info.line > tests[1].info.line);
    CHECK(tests[1].info.group.empty() && !tests[1].info.is_serial && tests[1].info.retries == 0);
    CHECK(tests[2].info.group == "port" && !tests[2].info.is_serial);
    CHECK(tests[2].info.retries == 2);
    harness::test_options alone;
    harness::detail::apply_all(alone, harness::serial());
    CHECK(alone.is_serial && alone.group.empty());
}

TEST("a test is found by its id, under a loop that the list does not name, too") {
    const auto tests = harness::collect_tests();
    CHECK(harness::find_test(tests, "renamed.plain")->loop == std::nullopt);
    const auto under = harness::find_test(tests, "renamed.plain@uvloop");
    CHECK(under->loop == harness::detail::loop_name::uvloop);
    CHECK(under->info.id == "renamed.plain@uvloop" && under->info.name == "plain@uvloop");
    CHECK(!harness::find_test(tests, "renamed.plain@trio"));
    CHECK(!harness::find_test(tests, "renamed.other@uvloop"));
    const harness::detail::loop_set both(harness::detail::loop_name::asyncio,
                                         harness::detail::loop_name::same_thread);
    const auto twice = harness::collect_tests(both);
    CHECK(twice.size() == 2 * tests.size());
    CHECK(twice[0].info.id == "renamed.plain@asyncio");
    CHECK(twice[1].info.id == "renamed.plain@same-thread");
}

TEST("a test that says of itself what cannot be is refused with its place") {
    using harness::detail::definition;
    static harness::test_options said;
    // In the list for good, as the next test's.
    static const definition other("other", "file.cpp", 7, {.python = ""},
                                  harness::detail::fixture_of<harness::detail::no_fixture>, false,
                                  [](harness::test_options& options) { options = said; });
    const auto refusal = [] {
        try {
            harness::collect_tests();
        } catch (const harness::bad_test& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(refusal().empty());
    said.timeout = 0ms;
    CHECK(refusal() == "file.cpp:7: other: its timeout is not above zero; write 1ms or more");
    said.timeout = 1ms;
    harness::detail::apply(said, harness::loops("asyncio", "uvlop"));
    CHECK(refusal() == "file.cpp:7: other: loops(\"uvlop\"): the loops are asyncio, asyncio+debug, "
                       "same-thread and uvloop");
    harness::detail::apply(said, harness::loops("asyncio"));
    CHECK(refusal().empty());
    said.loops = {};
    said.ignored_leaks = {"task:a", "tsk:a"};
    CHECK(refusal().starts_with("file.cpp:7: other: ignore_leaks(\"tsk:a\"): 'tsk' is not"));
    said.ignored_leaks.clear();
    CHECK(refusal().empty());
}

TEST("a second test of the same id is refused and both places are named") {
    using harness::detail::definition;
    // In the list for good: the last test of this program.
    static const definition twin("plain", __FILE__, 1, {.python = ""},
                                 harness::detail::fixture_of<harness::detail::no_fixture>, false,
                                 [](harness::test_options&) {});
    try {
        harness::collect_tests();
        CHECK(false);
    } catch (const harness::bad_test& error) {
        const std::string text = error.what();
        CHECK(text.find("renamed.plain") != text.npos);
        CHECK(text.find(":1;") != text.npos || text.find(":1 and") != text.npos);
    }
}

TEST("a pattern of leaks begins with a kind of leak") {
    for (const auto* pattern : {"task:poller-*", "native", "*:a", "t?sk:a", "signal:SIGINT"})
        CHECK(!harness::why_no_leak_pattern(pattern));
    CHECK(harness::why_no_leak_pattern("tsk:poller-*")
              ->starts_with("'tsk' is not a kind of leak; the kinds are task, generator, "));
}

TEST("values are described as a reader expects them") {
    CHECK(describe(true) == "true");
    CHECK(describe('c') == "c");
    CHECK(describe(nullptr) == "nullptr");
    CHECK(describe(std::string("a\"b\n")) == R"("a\"b\n")");
    CHECK(describe(static_cast<const char*>(nullptr)) == "nullptr");
    CHECK(describe("text") == "\"text\"");
    CHECK(describe(0.5) == "0.5");
    CHECK(describe(std::vector<std::string>{"a", "b"}) == R"(["a", "b"])");
    CHECK(describe(std::vector<bool>{true, false}) == "[true, false]");
    CHECK(describe(std::map<int, int>{{1, 2}}) == "[(1, 2)]");
    CHECK(describe(std::optional<int>()) == "nullopt");
    CHECK(describe(std::optional<int>(3)) == "3");
    CHECK(describe(color::red) == "7");
    CHECK(describe(unprintable()) == "{?}");
    CHECK(describe(std::filesystem::path("/a/b")) == "\"/a/b\"");
    CHECK(describe(5s) == "5s");
}

#pragma GCC diagnostic ignored "-Wparentheses"
#define JUDGE(...) judged(harness::detail::decomposer() <= __VA_ARGS__)

TEST("both sides of a comparison that fails are kept") {
    CHECK(JUDGE(1 + 1 == 3).values == "2 == 3");
    CHECK(JUDGE(2 != 2).values == "2 != 2");
    CHECK(JUDGE(std::string("a") > std::string("b")).values == R"("a" > "b")");
    CHECK(JUDGE(unprintable() != unprintable()).values.starts_with("{?} != {?}; to see its value"));
    CHECK(JUDGE(1 + 1 == 2).values.empty());
    CHECK(JUDGE(1 + 1 == 2).holds);
    CHECK(JUDGE(std::vector<int>{1}.size() == 1).holds);
    CHECK(!JUDGE(-1 == 4294967295U).holds); // as mathematics has it
    CHECK(JUDGE(-1 < 1U).holds);
}

TEST("an expression that is not a comparison counts as it would in an if") {
    const int value = 0;
    CHECK(!JUDGE(value).holds);
    CHECK(JUDGE(value).values == "0");
    CHECK(JUDGE(false).values.empty());
    CHECK(JUDGE(!value).holds);
    CHECK(!JUDGE(value == 0 && value == 1).holds);
    CHECK(JUDGE(value == 1 || value == 0).holds);
    CHECK(JUDGE(std::optional<int>(1)).holds);
}

TEST("a value's text is a part of an id that nobody takes apart") {
    using harness::encode_value;
    CHECK(encode_value("1,one") == "1,one");
    CHECK(encode_value("") == "");
    CHECK(encode_value("a b/c@d%\n") == "a%20b%2Fc%40d%25%0A");
    CHECK(encode_value("größe") == "größe");
    const auto cut = encode_value(std::string(300, 'x'));
    CHECK(cut.size() < 120 && cut.starts_with(std::string(100, 'x') + "~"));
    CHECK(cut != encode_value(std::string(301, 'x')));
    for (int before = 90; before < 102; ++before) { // never within a character or a code
        const auto text = std::string(static_cast<std::size_t>(before), 'x');
        CHECK(encode_value(text + "\n" + text).find("%~") == std::string::npos);
        CHECK(encode_value(text + "\n" + text).find("%0~") == std::string::npos);
        CHECK(encode_value(text + "ß" + text).find("\xC3~") == std::string::npos);
    }
}

TEST("numbers are near by their size or by what is given") {
    using harness::near;
    CHECK(0.1 + 0.2 == near(0.3) && 1 == near(1));
    CHECK(!(1.00001 == near(1.0)) && 1e6 + 0.9 == near(1e6));
    CHECK(1.5 == near(1.0, 0.5) && !(1.6 == near(1.0, 0.5)));
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(infinity == near(infinity) && !(-infinity == near(infinity)) && !(1.0 == near(infinity)));
    CHECK(!(std::nan("") == near(std::nan(""))) && !(std::nan("") == near(1.0)));
}

TEST("a command line is read in both forms of each option") {
    const auto options = parse({"--list", "--format=json", "--timeout", "5s", "a", "--", "--b"});
    CHECK(options.list && options.json);
    CHECK(options.timeout == 5s);
    CHECK((options.filters == std::vector<std::string>{"a", "--b"}));
    CHECK(parse({"--run-exact=x.y", "--event-fd", "3"}).event_fd == 3);
    CHECK(parse({"--loop", "uvloop"}).loop == harness::detail::loop_name::uvloop);
    CHECK(parse({"--loop=same-thread"}).loop == harness::detail::loop_name::same_thread);
    CHECK(!parse({}).threads);
    CHECK(parse({"--threads", "8"}).threads == 8U);
}

TEST("a command line that says nothing we can do is refused") {
    CHECK_THROWS(harness::usage_error, parse({"--nothing"}));
    CHECK_THROWS(harness::usage_error, parse({"--list=yes"}));
    CHECK_THROWS(harness::usage_error, parse({"--timeout", "0"}));
    CHECK_THROWS(harness::usage_error, parse({"--event-fd", "-1"}));
    for (const auto* threads : {"0", "-1", "2x", "1001", "", "99999999999"})
        CHECK_THROWS(harness::usage_error, parse({"--threads", threads}));
    CHECK_THROWS(harness::usage_error, parse({"--run-exact", "a.b", "filter"}));
}

int main() {
    return check::run();
}
