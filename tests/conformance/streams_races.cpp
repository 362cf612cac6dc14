// SPDX-License-Identifier: Apache-2.0
// A cancelled next() against the item that arrives, as often as it takes: what is sent is received,
// once.
#include "streams.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

BRIDGE_SUITE("streams_races")

using namespace streams;
using namespace asio::experimental::awaitable_operators;

BRIDGE_TEST(cancelling_next_against_the_item_loses_none_and_gives_none_twice, tags("I10"),
            timeout(240s)) {
    int cancelled = 0;
    for (const auto buffer : buffers) {
        const source python("async def numbers():\n"
                            "  for i in range(10**9):\n"
                            "    if i % 3:\n"
                            "      await asyncio.sleep(0)\n"
                            "    yield i");
        auto items = to_cpp_stream<int>(python.value("numbers()"), {.buffer = buffer});
        int expected = 0;
        for (int left = races() / 2; left > 0 || expected < 10; --left) {
            const auto outcome = co_await (items.next() || native_work::post());
            const auto* item = std::get_if<0>(&outcome);
            if (item == nullptr)
                ++cancelled;
            else if (!*item || **item != expected++)
                BRIDGE_FAIL("in place of item " + std::to_string(expected - 1));
        }
        co_await items.close();
        BRIDGE_INFO(std::to_string(expected) + " items came, " + std::to_string(cancelled) +
                    " requests came first");
    }
    BRIDGE_CHECK(cancelled > 0);
}
