// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/harness.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace asio = boost::asio;

using bridge::harness::current;
using namespace std::chrono_literals;

namespace {

// The code under test: it knows nothing of tests.
asio::awaitable<int> ask_until_answered(int answered_at) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    int asked = 1;
    for (auto pause = 1min; asked < answered_at; pause *= 2, ++asked) {
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return asked;
}

} // namespace

BRIDGE_TEST(asks_for_hours, virtual_time()) {
    const auto begun = std::chrono::steady_clock::now();
    BRIDGE_CHECK(co_await ask_until_answered(8) == 8);
    BRIDGE_CHECK((std::chrono::steady_clock::now() - begun == 127min));
}

BRIDGE_TEST(rings_in_time, virtual_time()) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    bool has_rung = false;
    timer.async_wait([&](const boost::system::error_code&) { has_rung = true; });
    co_await current().advance(59min);
    BRIDGE_CHECK(!has_rung);
    co_await current().advance(1min);
    BRIDGE_CHECK(has_rung);
}

BRIDGE_TEST_PY(gives_up_after_a_minute, R"(
    import asyncio

    async def test():
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            await asyncio.wait_for(asyncio.sleep(3600), 60)
        except asyncio.TimeoutError:
            assert loop.time() - begun == 60
)",
               virtual_time())
