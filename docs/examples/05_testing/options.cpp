// SPDX-License-Identifier: Apache-2.0
// What tests say about themselves, and what they ask for.
#include <bridge/harness/harness.hpp>

#include <cstdlib>
#include <fstream>
#include <string>

namespace asio = boost::asio;
namespace py = pybind11;

BRIDGE_SUITE("orders", timeout(20s), tags("shop"))

BRIDGE_TEST(has_its_own_time, timeout(500ms), tags("fast")) {
    co_return;
}

BRIDGE_TEST(uses_the_port, serial("port 8080"), retries(2)) {
    co_return;
}

BRIDGE_TEST(is_known_to_fail, xfail("issue 12: rounds down")) {
    BRIDGE_CHECK(7 / 2 == 4);
    co_return;
}

BRIDGE_TEST(fails_now_and_then, may_fail("issue 13: the server forgets")) {
    co_return;
}

BRIDGE_TEST(needs_a_display,
            skip_if([] { return std::getenv("DISPLAY") == nullptr; }, "there is no DISPLAY")) {
    co_return;
}

BRIDGE_TEST(is_right_on_both_hosts, loops("asyncio", "same-thread")) {
    const auto loop = bridge::harness::current().loop;
    BRIDGE_CHECK((loop == "asyncio" || loop == "same-thread"));
    co_return;
}

BRIDGE_TEST_PY(leaves_a_poller, R"(
    import asyncio

    async def test():
        asyncio.kept = asyncio.create_task(asyncio.sleep(3600), name="poller-1")
)",
               ignore_leaks("task:poller-*"))

BRIDGE_TEST(asks_for_what_it_needs) {
    const auto test = bridge::harness::current();
    const auto folder = test.temporary_folder();
    const auto port = test.free_port();
    const auto number = test.random()();
    std::ofstream(folder / "settings") << port << " " << number;
    std::ofstream(test.artifact("settings.txt")) << "kept with the report";
    BRIDGE_CHECK(test.name == "asks_for_what_it_needs");
    co_return;
}

BRIDGE_TEST(has_parts) {
    const auto test = bridge::harness::current();
    for (const int number : {1, 2, 3})
        test.sub_test("number " + std::to_string(number), [&] { BRIDGE_REQUIRE(number > 0); });
    co_await test.sub_test("that waits", []() -> asio::awaitable<void> {
        BRIDGE_CHECK(bridge::current_locals());
        co_return;
    });
}
