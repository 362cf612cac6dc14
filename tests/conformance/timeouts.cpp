// SPDX-License-Identifier: Apache-2.0
// with_timeout: what has arrived is returned, whenever the time is up.
#include "script.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <pybind11/stl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;
using bridge::with_timeout;

namespace {

constexpr auto long_enough = 1h;

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<void> forever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, long_enough);
    co_await timer.async_wait(asio::use_awaitable);
}

bool is_timed_out(const boost::system::system_error& error) {
    return error.code() == asio::error::timed_out;
}

template<class T>
asio::awaitable<bool> times_out(asio::awaitable<T> operation, std::chrono::nanoseconds time = 1ms) {
    try {
        co_await with_timeout(std::move(operation), time);
    } catch (const boost::system::system_error& error) {
        co_return is_timed_out(error);
    }
    co_return false;
}

// No value can be made without one.
struct number {
    explicit number(int n) : value(n) {}

    int value;
};

asio::awaitable<number> answer(bool hops) {
    if (hops)
        co_await hop();
    co_return number(42);
}

asio::awaitable<std::unique_ptr<int>> movable() {
    co_await hop();
    co_return std::make_unique<int>(3);
}

asio::awaitable<void> failing() {
    co_await hop();
    throw std::out_of_range("far");
}

// Answers a cancellation by a value, after more work.
asio::awaitable<int> answers_with_a_value() {
    try {
        co_await forever();
    } catch (const boost::system::system_error&) {
    }
    co_await asio::this_coro::reset_cancellation_state();
    co_await hop();
    co_return 7;
}

asio::awaitable<void> answers_with_an_error() {
    try {
        co_await forever();
    } catch (const boost::system::system_error&) {
    }
    throw std::out_of_range("while it ended");
}

std::chrono::nanoseconds time_of(double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds));
}

asio::awaitable<std::optional<int>> get_within(bridge::py_ref get, std::chrono::nanoseconds limit) {
    try {
        co_return co_await with_timeout(bridge::call<int>(std::move(get)), limit);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::timed_out)
            throw;
        co_return std::nullopt;
    }
}

asio::awaitable<int> call_within(bridge::py_ref function, double seconds) {
    co_return co_await with_timeout(bridge::call<int>(std::move(function)), time_of(seconds));
}

void bind(py::object m) {
    bridge::def_async(m, "get_within", [](bridge::py_ref get, double seconds) {
        return get_within(std::move(get), time_of(seconds));
    });
    bridge::def_async(m, "call_within", &call_within, py::arg("function"), py::arg("seconds"));
}

} // namespace

BRIDGE_TEST(what_ends_in_time_gives_its_value_or_its_error) {
    BRIDGE_CHECK((co_await with_timeout(answer(true), long_enough)).value == 42);
    BRIDGE_CHECK((co_await with_timeout(answer(false), long_enough)).value == 42);
    BRIDGE_CHECK(*co_await with_timeout(movable(), long_enough) == 3);
    co_await with_timeout(hop(), long_enough);
    bool failed = false;
    try {
        co_await with_timeout(failing(), long_enough);
    } catch (const std::out_of_range&) {
        failed = true;
    }
    BRIDGE_CHECK(failed);
}

BRIDGE_TEST(what_does_not_end_in_time_is_cancelled_and_timed_out) {
    BRIDGE_CHECK(co_await times_out(forever()));
    BRIDGE_CHECK(co_await times_out(forever(), 0ns));
    BRIDGE_CHECK(co_await times_out(forever(), -1s));
    using namespace asio::experimental::awaitable_operators;
    BRIDGE_CHECK(co_await times_out(forever() && forever()));
    BRIDGE_CHECK(co_await times_out(with_timeout(forever(), long_enough)));
}

BRIDGE_TEST(what_a_cancelled_operation_ends_with_all_the_same_arrives) {
    BRIDGE_CHECK(co_await with_timeout(answers_with_a_value(), 1ms) == 7);
    bool failed = false;
    try {
        co_await with_timeout(answers_with_an_error(), 1ms);
    } catch (const std::out_of_range&) {
        failed = true;
    }
    BRIDGE_CHECK(failed);
}

BRIDGE_TEST(a_cancellation_from_outside_is_no_timeout) {
    using namespace asio::experimental::awaitable_operators;
    std::optional<bool> timed_out;
    const auto limited = [&]() -> asio::awaitable<void> {
        try {
            co_await with_timeout(forever(), long_enough);
        } catch (const boost::system::system_error& error) {
            timed_out = is_timed_out(error);
            throw;
        }
    };
    const auto first = co_await (limited() || hop());
    BRIDGE_CHECK(first.index() == 1u);
    BRIDGE_REQUIRE(timed_out.has_value());
    BRIDGE_CHECK(!*timed_out);
}

BRIDGE_TEST(python_is_cancelled_and_its_end_awaited) {
    co_await script::run(R"py(
async def main():
    begun, ended = [], []
    async def slow(outcome):
        begun.append(outcome)
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ended.append(outcome)
            if outcome == "value":
                return 5
            if outcome == "error":
                raise KeyError("while it ended")
            raise
    async def soon():
        await asyncio.sleep(0)
        return 4
    async def within(outcome):
        limit = 0.001
        while True:
            before = len(begun)
            try:
                return await m.call_within(lambda: slow(outcome), limit)
            except TimeoutError:
                if len(begun) > before:
                    raise
                limit *= 2  # it was over before anything had begun
    assert await m.call_within(soon, 3600) == 4
    assert await within("value") == 5
    for outcome, wanted in (("cancelled", TimeoutError), ("error", KeyError)):
        try:
            await within(outcome)
        except Exception as error:
            assert type(error) is wanted, repr(error)
        else:
            assert False, outcome
    assert ended == ["value", "cancelled", "error"]

    # A task that is cancelled says so, though a time-out lies between.
    task = asyncio.ensure_future(m.call_within(lambda: slow("outer"), 3600))
    while begun[-1] != "outer":
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        assert ended[-1] == "outer"
    else:
        assert False
)py",
                         bind);
}

BRIDGE_TEST(no_item_of_a_queue_is_lost_to_a_timeout, timeout(120s)) {
    co_await script::run(R"py(
import random
async def main():
    queue = asyncio.Queue()
    sent = got = timeouts = 0

    async def put(count):
        nonlocal sent
        for value in range(1, count + 1):
            # Near the other's time-outs, so that it now comes before, now after, now with one.
            await asyncio.sleep(0.0005 * random.uniform(0.5, 1.5))
            queue.put_nowait(value)
            sent += value

    putting = asyncio.ensure_future(put(400))
    while not putting.done() or not queue.empty():
        value = await m.get_within(queue.get, 0.0005)
        if value is None:
            timeouts += 1
        else:
            got += value
    await putting
    assert got == sent, (got, sent, timeouts)

    # As near as it gets: the item is put when the time-out is due.
    loop = asyncio.get_running_loop()
    got = 0
    for value in range(1, 401):
        loop.call_later(0.0005, queue.put_nowait, value)
        while (item := await m.get_within(queue.get, 0.0005)) is None:
            timeouts += 1
        got += item
    assert got == 400 * 401 // 2 and queue.empty(), (got, timeouts)
)py",
                         bind);
}
