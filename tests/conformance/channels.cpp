// SPDX-License-Identifier: Apache-2.0
// Asio channels of a user's own, which other threads feed and Python iterates over.
#include "streams.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <vector>

BRIDGE_SUITE("channels")

using namespace streams;
using boost::system::error_code;

namespace {

// Any thread may touch the one; the other one, what runs on its executor.
using concurrent = asio::experimental::concurrent_channel<void(error_code, int)>;
using serial = asio::experimental::channel<void(error_code, int)>;

// Outlives every generator: one that is cancelled may be in the traceback of its exception.
asio::thread_pool& pool() {
    static auto& threads = *new asio::thread_pool(2);
    return threads;
}

template<class Channel>
struct fed {
    asio::any_io_executor on = asio::make_strand(pool().get_executor());
    std::shared_ptr<Channel> items;
    std::atomic<int> sent{0};
    std::atomic<bool> stopping{false};
    std::vector<std::future<void>> sends;

    explicit fed(std::size_t buffer) : items(std::make_shared<Channel>(on, buffer)) {}

    // A send that waits ends, and is the last one.
    ~fed() {
        const auto end = [this] {
            items->close();
            items->cancel();
        };
        asio::post(on, asio::use_future(end)).wait(); // and what was posted before
        for (const auto& one : sends)
            one.wait();
    }

    // `count` items, and then an end for each generator that asks.
    void send(int count, error_code end) {
        sends.push_back(asio::co_spawn(on, send_all(count, end), asio::use_future));
    }

    asio::awaitable<void> send_all(int count, error_code end) {
        for (int i = 0; i < count && !stopping; ++i) {
            for (int turns = i % 5; turns > 0; --turns)
                co_await asio::post(on, asio::use_awaitable);
            co_await items->async_send({}, i, asio::use_awaitable);
            ++sent;
        }
        for (;;) // until the channel is closed
            co_await items->async_send(end, 0, asio::use_awaitable);
    }
};

template<class Channel>
void define_all(const source& python, fed<Channel>& feed) {
    python.define("made", [&feed] { return bridge::to_python(bridge::produce(feed.items)); });
    python.define("send", [&feed](int count) { feed.send(count, asio::error::eof); });
    python.define("send_and_fail",
                  [&feed](int count) { feed.send(count, asio::error::connection_reset); });
    python.define("close", [&feed] { asio::post(feed.on, [&feed] { feed.items->close(); }); });
    python.define("cancel", [&feed] { asio::post(feed.on, [&feed] { feed.items->cancel(); }); });
    python.define("sent", [&feed] { return feed.sent.load(); });
    python.define("stop", [&feed] { feed.stopping = true; });
    python.define("owners", [&feed] { return feed.items.use_count(); });
}

template<class Channel>
asio::awaitable<std::string> run_with(const char* text, std::size_t buffer, std::string main) {
    fed<Channel> feed(buffer);
    const source python(text);
    define_all(python, feed);
    co_return co_await bridge::to_cpp<std::string>(python.value(main.c_str()));
}

// With each kind of channel, and each kind of buffer: the same.
asio::awaitable<std::string> run(const char* text) {
    std::string outcome;
    for (const auto buffer : buffers) {
        outcome = co_await run_with<concurrent>(text, buffer, "main()");
        BRIDGE_CHECK(co_await run_with<serial>(text, buffer, "main()") == outcome);
    }
    co_return outcome;
}

} // namespace

BRIDGE_TEST(what_is_sent_into_a_channel_arrives_in_order, tags("O16")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  send(100)\n"
                              "  seen = [i async for i in made()]\n"
                              "  return str(seen == list(range(100)))") == "True");
}

BRIDGE_TEST(closing_a_channel_ends_the_iteration, tags("O16")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = made()\n"
                              "  task = asyncio.ensure_future(generator.__anext__())\n"
                              "  await turns()\n"
                              "  close()\n"
                              "  seen = []\n"
                              "  try: await task\n"
                              "  except StopAsyncIteration: seen.append('over')\n"
                              "  seen += [i async for i in generator]\n"
                              "  seen += [i async for i in made()]\n"
                              "  return str(seen)") == "['over']");
}

BRIDGE_TEST(an_error_that_is_sent_comes_after_the_items, tags("O14", "O16")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  seen = []\n"
                              "  send_and_fail(3)\n"
                              "  try:\n"
                              "    async for i in made(): seen.append(i)\n"
                              "  except ConnectionResetError: seen.append('reset')\n"
                              "  return str(seen)") == "[0, 1, 2, 'reset']");
}

BRIDGE_TEST(a_channel_that_somebody_else_cancels_is_told_as_cancelled, tags("O8", "O16")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  task = asyncio.ensure_future(made().__anext__())\n"
                              "  while not task.done():\n"
                              "    cancel()\n"
                              "    await turns(1)\n"
                              "  return str(task.cancelled())") == "True");
}

BRIDGE_TEST(what_comes_after_a_break_is_the_next_generators, tags("O5", "O7")) {
    BRIDGE_CHECK(co_await run("import contextlib\n"
                              "async def main():\n"
                              "  send(9)\n"
                              "  seen = []\n"
                              "  while len(seen) < 9:\n"
                              "    async with contextlib.aclosing(made()) as generator:\n"
                              "      async for i in generator:\n"
                              "        seen.append(i)\n"
                              "        if i % 3 == 2: break\n"
                              "    await until(lambda: owners() == 1)\n"
                              "  return str(seen)") == "[0, 1, 2, 3, 4, 5, 6, 7, 8]");
}

BRIDGE_TEST(a_dropped_generator_lets_its_channel_go, tags("O6", "O19")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  send(2)\n"
                              "  async for i in made(): break\n"
                              "  await until(lambda: owners() == 1)\n"
                              "  return str([i async for i in made()])") == "[1]");
}

BRIDGE_TEST(consumers_of_one_channel_share_its_items, tags("O16")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  async def consume():\n"
                              "    async for i in made():\n"
                              "      seen.append(i)\n"
                              "      await asyncio.sleep(0)\n"
                              "  send(500)\n"
                              "  await asyncio.gather(*(consume() for _ in range(5)))\n"
                              "  return str(sorted(seen) == list(range(500)))") == "True");
}

BRIDGE_TEST(a_channel_that_is_not_there_is_refused, tags("bad_input")) {
    std::string refused;
    try {
        (void)bridge::produce(std::shared_ptr<concurrent>());
    } catch (const std::invalid_argument& error) {
        refused = error.what();
    }
    BRIDGE_CHECK(refused == "produce: there is no channel: the pointer is null");
    co_return;
}

// Where a step was cancelled before an item was received, the generator is over and the next one
// goes on; where it was received, it is the same generator's next.
BRIDGE_TEST(cancelling_against_what_is_sent_loses_none_and_gives_none_twice, tags("O9"),
            timeout(600s)) {
    const auto* text = "async def main(races):\n"
                       "  generator, received, cancelled, ended = made(), 0, 0, 0\n"
                       "  def take(item):\n"
                       "    nonlocal received\n"
                       "    assert item == received, (item, received)\n"
                       "    received += 1\n"
                       "  async def step():\n"
                       "    return await generator.__anext__()\n"
                       "  send(10**9)\n"
                       "  for race in range(races):\n"
                       "    task = asyncio.create_task(step())\n"
                       "    for _ in range(race % 5):\n"
                       "      await asyncio.sleep(0)\n"
                       "    task.cancel()\n"
                       "    try: take(await task)\n"
                       "    except asyncio.CancelledError: cancelled += 1\n"
                       "    except StopAsyncIteration: generator, ended = made(), ended + 1\n"
                       "  stop()\n"
                       "  async for i in generator: take(i)\n"
                       "  async for i in made(): take(i)\n"
                       "  assert received == sent(), (received, sent())\n"
                       "  assert cancelled\n"
                       "  return (f'{received} items came, {cancelled} requests came first, '\n"
                       "          f'{ended} generators ended by one')";
    const auto main = "main(" + std::to_string(races() / 4) + ")";
    for (const auto buffer : buffers) {
        BRIDGE_INFO(co_await run_with<concurrent>(text, buffer, main));
        BRIDGE_INFO(co_await run_with<serial>(text, buffer, main));
    }
}
