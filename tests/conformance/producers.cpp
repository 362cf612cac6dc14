// SPDX-License-Identifier: Apache-2.0
// Generators that a producer on threads of its own feeds.
#include "streams.hpp"

#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <thread>

BRIDGE_SUITE("producers")

using namespace streams;
using native_work::life;

namespace {

std::atomic<int> sent{0};
std::atomic<int> cancelled{0};

// As fast as it is let.
asio::awaitable<void> count_up(bridge::channel<int>& to) {
    const life alive;
    try {
        for (int i = 0;; ++i) {
            co_await to.async_send({}, i, asio::use_awaitable);
            ++sent;
        }
    } catch (const boost::system::system_error&) {
        ++cancelled;
        throw;
    }
}

asio::awaitable<void> three(bridge::channel<int>& to) {
    for (int i = 0; i < 3; ++i)
        co_await to.async_send({}, i, asio::use_awaitable);
}

asio::awaitable<void> three_and_fail(bridge::channel<int>& to) {
    co_await three(to);
    throw std::invalid_argument("out of numbers");
}

// From a thread that knows nothing of coroutines, which waits for its sends.
asio::awaitable<void> from_thread(bridge::channel<int>& to) {
    const auto send = [&to] {
        for (int i = 0; i < 3; ++i)
            to.async_send({}, i, asio::use_future).get();
    };
    std::thread(send).join();
    co_return;
}

// Until there is no room: the consumer may take some meanwhile.
asio::awaitable<void> too_many(bridge::channel<int>& to) {
    for (int i = 0;; ++i)
        if (!to.try_send(boost::system::error_code(), i))
            throw std::length_error("nobody takes item " + std::to_string(i));
    co_return;
}

// Outlives every generator: one that is cancelled may be in the traceback of its exception.
using pool = asio::thread_pool;

pool& threads_of_producers() {
    static auto& threads = *new pool(2);
    return threads;
}

template<class F>
void define(const source& python, pool& on, const char* name, F producer, std::size_t buffer) {
    python.define(name, [&on, producer, buffer] {
        return bridge::to_python(
            bridge::produce<int>(on.get_executor(), producer, {.buffer = buffer}));
    });
}

void define_all(const source& python, pool& on) {
    native_work::reset_counts();
    sent = cancelled = 0;
    define(python, on, "count_up", &count_up, 0);
    define(python, on, "count_up_4", &count_up, 4);
    define(python, on, "three", &three, 2);
    define(python, on, "three_and_fail", &three_and_fail, 8);
    define(python, on, "from_thread", &from_thread, 0);
    define(python, on, "too_many", &too_many, 2);
    python.define("sent", [] { return sent.load(); });
    python.define("cancelled", [] { return cancelled.load(); });
    python.define("lives", &lives);
}

asio::awaitable<std::string> run(const char* text) {
    const source python(text);
    define_all(python, threads_of_producers());
    co_return co_await bridge::to_cpp<std::string>(python.value("main()"));
}

} // namespace

BRIDGE_TEST(what_a_producer_sends_arrives_in_order_and_then_ends, tags("O16")) {
    BRIDGE_CHECK(
        co_await run("async def main():\n"
                     "  seen = [[i async for i in make()] for make in (three, from_thread)]\n"
                     "  return str(seen)") == "[[0, 1, 2], [0, 1, 2]]");
}

BRIDGE_TEST(a_producer_is_not_called_before_the_first_step, tags("O16")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = count_up()\n"
                              "  await turns()\n"
                              "  await generator.aclose()\n"
                              "  return lives()") == "0 begun, 0 ended");
}

BRIDGE_TEST(a_producer_waits_where_the_channel_is_full, tags("O16", "O5")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = count_up_4()\n"
                              "  first = await generator.__anext__()\n"
                              "  await until(lambda: sent() == 5)\n"
                              "  await turns(200)\n"
                              "  full = sent()\n"
                              "  second = await generator.__anext__()\n"
                              "  await until(lambda: sent() == 6)\n"
                              "  await generator.aclose()\n"
                              "  return str((first, full, second))") == "(0, 5, 1)");
}

BRIDGE_TEST(closing_cancels_a_producers_send_once_and_ends_after_it, tags("O17")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  seen = []\n"
                              "  for make in count_up, count_up_4:\n"
                              "    generator = make()\n"
                              "    seen.append(await generator.__anext__())\n"
                              "    await generator.aclose()\n"
                              "    seen += [cancelled(), lives()]\n"
                              "  return str(seen)") ==
                 "[0, 1, '1 begun, 1 ended', 0, 2, '2 begun, 2 ended']");
}

BRIDGE_TEST(closing_ends_a_producer_that_blocks_its_executor_until_it_is_received, tags("O17")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  generator = from_thread()\n"
                              "  first = await generator.__anext__()\n"
                              "  await generator.aclose()\n"
                              "  return str(first)") == "0");
}

BRIDGE_TEST(a_producer_of_a_dropped_generator_is_cancelled, tags("O17", "O19")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  import weakref\n"
                              "  generator = count_up()\n"
                              "  await generator.__anext__()\n"
                              "  alive = weakref.ref(generator)\n"
                              "  del generator\n"
                              "  await until(lambda: alive() is None)\n" // its clean-up has ended
                              "  assert lives() == '1 begun, 1 ended', lives()\n"
                              "  return str(cancelled())") == "1");
}

// It goes on where the item came at the same time; then that is the next one.
BRIDGE_TEST(a_step_that_is_cancelled_loses_nothing_that_was_sent, tags("O9", "O17")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  seen = []\n"
                              "  generator = count_up()\n"
                              "  async def step():\n"
                              "    while True: seen.append(await generator.__anext__())\n"
                              "  task = asyncio.create_task(step())\n"
                              "  await until(lambda: len(seen) > 10)\n"
                              "  task.cancel()\n"
                              "  await asyncio.wait([task])\n"
                              "  try: seen.append(await generator.__anext__())\n"
                              "  except StopAsyncIteration: pass\n"
                              "  await generator.aclose()\n"
                              "  ordered = seen == list(range(len(seen)))\n"
                              "  return str((task.cancelled(), ordered, lives()))") ==
                 "(True, True, '1 begun, 1 ended')");
}

BRIDGE_TEST(what_a_producer_throws_comes_after_its_items, tags("O14", "O16")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  seen = []\n"
                              "  try:\n"
                              "    async for i in three_and_fail(): seen.append(i)\n"
                              "  except ValueError as error:\n"
                              "    seen.append(str(error))\n"
                              "  return str(seen)") == "[0, 1, 2, 'out of numbers']");
}

BRIDGE_TEST(a_source_that_sends_beyond_demand_is_told, tags("O18")) {
    BRIDGE_CHECK(co_await run("async def main():\n"
                              "  seen = []\n"
                              "  try:\n"
                              "    async for i in too_many(): seen.append(i)\n"
                              "  except ValueError as error:\n"
                              "    seen.append(str(error))\n"
                              "  return str(seen[-1] == f'nobody takes item {len(seen) - 1}')") ==
                 "True");
}
