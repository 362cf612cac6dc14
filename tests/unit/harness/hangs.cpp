// SPDX-License-Identifier: Apache-2.0
// Ways to hang; test_hangs.py knows what is to be said of each.
#include <bridge/harness/harness.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <thread>

#include <signal.h>
#include <unistd.h>

namespace asio = boost::asio;
namespace py = pybind11;

using namespace std::chrono_literals;

BRIDGE_SUITE("hangs", timeout(300ms))

namespace {

asio::awaitable<void> wait_for_nobody() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 24h);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> wait_in_python() {
    auto sleep = bridge::with_python(
        [] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(3600)); });
    co_await bridge::to_cpp<void>(std::move(sleep));
}

struct hangs_before {
    asio::awaitable<void> set_up() { co_await wait_for_nobody(); }
};

} // namespace

BRIDGE_TEST(in_cpp) {
    co_await wait_for_nobody();
}

BRIDGE_TEST(in_its_body) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 24h);
    co_await timer.async_wait(asio::use_awaitable);
}

BRIDGE_TEST(in_python_from_cpp) {
    co_await wait_in_python();
}

BRIDGE_TEST_PY(in_python, R"(
    import asyncio

    async def inner():
        await asyncio.Event().wait()

    async def test():
        await inner()
)")

BRIDGE_TEST_PY(on_a_task, R"(
    import asyncio

    async def test():
        await asyncio.create_task(asyncio.sleep(3600), name="other")
)")

BRIDGE_TEST_F(hangs_before, in_its_set_up) {
    co_return;
}

BRIDGE_TEST_SYNC(in_a_function) {
    std::this_thread::sleep_for(24h);
}

BRIDGE_TEST_PY(by_going_on, R"(
    import asyncio

    async def test():
        while True:
            await asyncio.sleep(0)
)")

BRIDGE_TEST_PY(with_the_loop_blocked, R"(
    import time

    async def test():
        time.sleep(3600)
)")

BRIDGE_TEST_MAIN_THREAD(on_the_main_thread) {
    const py::gil_scoped_release released;
    std::this_thread::sleep_for(24h);
}

BRIDGE_TEST(with_the_gil_held) {
    bridge::with_python([] { std::this_thread::sleep_for(24h); });
    co_return;
}

BRIDGE_TEST(with_the_gil_held_elsewhere, loops("asyncio")) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    bridge::with_python([] { std::this_thread::sleep_for(24h); });
}

BRIDGE_TEST(with_the_runtime_starved, loops("asyncio")) {
    const auto here = co_await asio::this_coro::executor;
    for (int i = 0; i < 64; ++i) // more than it has threads
        asio::post(bridge::default_runtime().io_context(),
                   [] { std::this_thread::sleep_for(24h); });
    asio::steady_timer timer(here, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
}

BRIDGE_TEST_PY(by_running_python, R"(
    async def test():
        while True:
            pass
)")

// Does not hang: what is asked for is written beside it.
BRIDGE_TEST(asked_and_passes, timeout(30s)) {
    ::raise(SIGQUIT);
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    BRIDGE_CHECK(::kill(::getpid(), SIGQUIT) == 0);
}
