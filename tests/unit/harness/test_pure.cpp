// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/harness.hpp>

#include "choose/command_line.hpp"
#include "choose/registry.hpp"
#include "choose/selection.hpp"

#include "check.hpp"

#include <bridge/protocol/listing.hpp>

#include <filesystem>
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
    constexpr auto alone = harness::detail::make_options(harness::serial());
    CHECK(alone.is_serial && alone.group.empty());
}

TEST("a second test of the same id is refused and both places are named") {
    using harness::detail::definition;
    static const auto body = +[]() -> asio::awaitable<void> { co_return; };
    // In the list for good: the last test of this program.
    static const definition twin("plain", __FILE__, 1, body,
                                 [] { return harness::test_options(); });
    try {
        harness::collect_tests();
        CHECK(false);
    } catch (const harness::duplicate_test& error) {
        const std::string text = error.what();
        CHECK(text.find("renamed.plain") != text.npos);
        CHECK(text.find(":1;") != text.npos || text.find(":1 and") != text.npos);
    }
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
    CHECK(JUDGE(unprintable() != unprintable()).values == "{?} != {?}");
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

TEST("a command line is read in both forms of each option") {
    const auto options = parse({"--list", "--format=json", "--timeout", "5s", "a", "--", "--b"});
    CHECK(options.list && options.json);
    CHECK(options.timeout == 5s);
    CHECK((options.filters == std::vector<std::string>{"a", "--b"}));
    CHECK(parse({"--run-exact=x.y", "--event-fd", "3"}).event_fd == 3);
    CHECK(parse({"--loop", "uvloop"}).loop == harness::loop_kind::uvloop);
    CHECK(parse({"--loop=same-thread"}).loop == harness::loop_kind::same_thread);
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
