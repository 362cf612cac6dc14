// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/harness.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace asio = boost::asio;

using namespace std::chrono_literals;

namespace {

// The code under test: a place of work that is given back, however its use ends.
int places_taken = 0;

class place {
public:
    place() { ++places_taken; }

    place(const place&) = delete;
    place& operator=(const place&) = delete;

    ~place() { --places_taken; }
};

asio::awaitable<void> work() {
    const place taken;
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace

BRIDGE_TEST(gives_its_place_back, cancel_sweep([] { BRIDGE_CHECK(places_taken == 0); })) {
    co_await work();
}

BRIDGE_TEST_PY(closes_its_server, R"(
    import asyncio

    async def test():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1")
        async with server:
            await asyncio.sleep(0.001)
)",
               cancel_sweep(), timeout(30s))
