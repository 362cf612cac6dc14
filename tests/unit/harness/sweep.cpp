// SPDX-License-Identifier: Apache-2.0
// Bodies that are swept; test_sweep.py knows what is to be said of each.
#include <bridge/harness/harness.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <pybind11/eval.h>

#include <chrono>

namespace asio = boost::asio;
namespace py = pybind11;

using namespace std::chrono_literals;

BRIDGE_SUITE("sweep", cancel_sweep(), timeout(30s))

namespace {

asio::awaitable<void> wait_a_moment() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> sleep_in_python(double seconds) {
    auto sleep = bridge::with_python([seconds] {
        return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(seconds));
    });
    co_await bridge::to_cpp<void>(std::move(sleep));
}

int open_files = 0;

struct file {
    file() { ++open_files; }

    ~file() { --open_files; }
};

struct with_tear_down {
    asio::awaitable<void> set_up() { co_await wait_a_moment(); }

    asio::awaitable<void> tear_down() {
        co_await wait_a_moment();
        co_await sleep_in_python(0.001);
        torn_down = true;
    }

    ~with_tear_down() { BRIDGE_CHECK(torn_down); }

    bool torn_down = false;
};

} // namespace

BRIDGE_TEST(waits_for_nothing) {
    co_return;
}

BRIDGE_TEST(is_right) {
    const file opened;
    co_await wait_a_moment();
    co_await sleep_in_python(0.001);
    co_await wait_a_moment();
}

BRIDGE_TEST(is_right_in_virtual_time, virtual_time()) {
    co_await sleep_in_python(3600);
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
}

// The request comes in the step in which the body ends, so that its task is cancelled with it.
BRIDGE_TEST(ends_before_it_can_be_told) {
    co_await bridge::to_cpp<void>(bridge::with_python([] {
        py::dict scope;
        py::exec("async def main(): pass", scope);
        return bridge::py_ref(scope["main"]());
    }));
}

BRIDGE_TEST_F(with_tear_down, is_torn_down) {
    co_await wait_a_moment();
    co_await sleep_in_python(0.001);
}

BRIDGE_TEST(is_right_with_two_branches) {
    using namespace asio::experimental::awaitable_operators;
    co_await (wait_a_moment() && sleep_in_python(0.001));
}

BRIDGE_TEST_PY(is_right_in_python, R"(
    import asyncio

    async def work():
        await asyncio.sleep(0.001)

    async def test():
        async with asyncio.timeout(10) if hasattr(asyncio, "timeout") else asyncio.Lock():
            await asyncio.gather(work(), work())
)")

// The sweep is not to be seen in a traceback.
BRIDGE_TEST_PY(is_right_in_python_that_looks_at_tracebacks, R"(
    import asyncio, traceback

    async def fail():
        await asyncio.sleep(0)
        raise ValueError

    async def test():
        try:
            await asyncio.create_task(fail())
        except ValueError as error:
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            assert names == ["test", "fail"], names
        await asyncio.sleep(0)
)")

BRIDGE_TEST(swallows_in_cpp, virtual_time()) {
    try {
        co_await wait_a_moment();
    } catch (const boost::system::system_error&) {
    }
    co_await asio::this_coro::reset_cancellation_state();
    co_await wait_a_moment();
}

BRIDGE_TEST_PY(swallows_in_python, R"(
    import asyncio

    async def test():
        try:
            await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(0)
)",
               virtual_time())

BRIDGE_TEST(hangs_if_it_is_cancelled, timeout(2s)) {
    bool is_cancelled = false;
    try {
        asio::steady_timer first(co_await asio::this_coro::executor, 500ms);
        co_await first.async_wait(asio::use_awaitable);
    } catch (const boost::system::system_error&) {
        is_cancelled = true;
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    asio::steady_timer timer(co_await asio::this_coro::executor, is_cancelled ? 1h : 1ms);
    co_await timer.async_wait(asio::use_awaitable);
}

BRIDGE_TEST_PY(leaks_a_task_if_it_is_cancelled, R"(
    import asyncio

    async def test():
        other = asyncio.create_task(asyncio.sleep(3600), name="forgotten")
        await asyncio.sleep(0.001)
        other.cancel()
)",
               virtual_time())

BRIDGE_TEST(leaks_a_coroutine_if_it_is_cancelled, virtual_time()) {
    const auto here = co_await asio::this_coro::executor;
    auto timer = std::make_shared<asio::steady_timer>(here, 1h);
    asio::co_spawn(
        here,
        [timer]() -> asio::awaitable<void> {
            co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
        },
        asio::detached);
    co_await wait_a_moment();
    timer->cancel();
    co_await wait_a_moment();
}

BRIDGE_TEST(has_more_runs_than_time, virtual_time()) {
    for (int i = 0; i < 1000; ++i)
        co_await wait_a_moment();
}

BRIDGE_TEST(forgets_to_close, virtual_time(), cancel_sweep([] { BRIDGE_CHECK(open_files == 0); })) {
    ++open_files;
    try {
        co_await wait_a_moment();
    } catch (...) {
        if (open_files > 1) // never: what goes on here is the fault
            --open_files;
        throw;
    }
    --open_files;
}

BRIDGE_TEST(throws_otherwise_if_it_is_cancelled, virtual_time()) {
    try {
        co_await wait_a_moment();
    } catch (const boost::system::system_error&) {
        throw std::runtime_error("lost the connection");
    }
}

BRIDGE_TEST(is_not_swept_as_it_fails) {
    co_await wait_a_moment();
    BRIDGE_CHECK(1 + 1 == 3);
}

BRIDGE_TEST_SYNC(cannot_be_swept) {}
