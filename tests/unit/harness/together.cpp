// SPDX-License-Identifier: Apache-2.0
// Tests that run at once in one loop; test_together.py knows what each must say.
#include <bridge/harness/harness.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <thread>

namespace asio = boost::asio;
namespace py = pybind11;

using namespace std::chrono_literals;

namespace {

std::atomic<int> in_flight{0};
std::atomic<int> most_in_flight{0};

struct counted {
    counted() {
        const int now = ++in_flight;
        if (now > most_in_flight)
            most_in_flight = now;
    }

    ~counted() { --in_flight; }
};

asio::awaitable<void> wait_for(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

std::atomic<int> have_come{0};

// Passes only beside another one.
asio::awaitable<void> meet() {
    ++have_come;
    BRIDGE_EVENTUALLY(have_come >= 2, 20s);
}

// They live as long as the program, and are told of.
bridge::py_ref kept;
bridge::py_ref kept_by_nobody;

std::atomic<bool> has_shared{false};
std::atomic<bool> has_let_go{false};

bridge::py_ref take_what_all_share() {
    return bridge::with_gil([] {
        return bridge::py_ref(py::module_::import("asyncio").attr("tasks").attr("__dict__"));
    });
}

} // namespace

BRIDGE_TEST_F(counted, meets_another, timeout(30s)) {
    co_await meet();
}

BRIDGE_TEST_F(counted, is_met, timeout(30s)) {
    co_await meet();
}

BRIDGE_TEST_F(counted, fails_a_check) {
    co_await wait_for(5ms);
    BRIDGE_CHECK(1 + 1 == 3);
    BRIDGE_CHECK(bridge::harness::current().id == "together.fails_a_check");
}

BRIDGE_TEST_F(counted, skips) {
    co_await wait_for(1ms);
    BRIDGE_SKIP("not today");
}

BRIDGE_TEST_PY_F(counted, leaves_a_task, R"(
    import asyncio

    async def test():
        asyncio.kept = asyncio.create_task(asyncio.sleep(3600), name="forgotten")
        await asyncio.sleep(0.005)
)")

BRIDGE_TEST_PY_F(counted, leaves_a_generator, R"(
    import asyncio

    async def numbers():
        while True:
            yield 1

    async def test():
        asyncio.kept_too = numbers()
        await asyncio.kept_too.__anext__()
        await asyncio.sleep(0.005)
)")

BRIDGE_TEST_F(counted, leaves_a_coroutine) {
    const auto here = co_await asio::this_coro::executor;
    asio::co_spawn(
        here,
        []() -> asio::awaitable<void> {
            asio::steady_timer timer(co_await asio::this_coro::executor, 24h);
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        },
        asio::detached);
    co_await wait_for(5ms);
}

BRIDGE_TEST_PY_F(counted, fails_in_a_callback, R"(
    import asyncio

    def fail():
        raise ValueError("in a callback")

    async def test():
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.005)
)")

BRIDGE_TEST_PY_F(counted, forgets_to_await, R"(
    import asyncio

    async def forgotten():
        pass

    async def test():
        forgotten()
        await asyncio.sleep(0.005)
)")

BRIDGE_TEST_F(counted, takes_too_long, timeout(300ms)) {
    co_await wait_for(1h);
}

BRIDGE_TEST_PY_F(counted, ignores_its_cancellation, R"(
    import asyncio

    async def test():
        for _ in range(2):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
        await asyncio.sleep(3600)
)",
                 timeout(300ms))

BRIDGE_TEST_PY_F(counted, leaves_a_task_that_fails, R"(
    import asyncio

    async def wait():
        try:
            await asyncio.sleep(3600)
        finally:
            raise ValueError("in the tear-down")

    async def test():
        asyncio.kept_as_well = asyncio.create_task(wait(), name="failing")
        await asyncio.sleep(0.005)
)")

BRIDGE_TEST_F(counted, keeps_a_reference) {
    kept = bridge::with_gil([] { return bridge::py_ref(py::dict()); });
    co_await wait_for(5ms);
}

BRIDGE_TEST_F(counted, keeps_a_reference_on_a_thread_of_nobody, tags("nobody")) {
    std::thread([] {
        kept_by_nobody = bridge::with_gil([] { return bridge::py_ref(py::list()); });
    }).join();
    co_await wait_for(5ms);
}

// It has the object for longer than the next one, which must not be blamed.
BRIDGE_TEST_F(counted, shares_an_object, timeout(30s)) {
    const auto shared = take_what_all_share();
    has_shared = true;
    BRIDGE_EVENTUALLY(has_let_go.load(), 20s);
    co_await wait_for(300ms);
}

BRIDGE_TEST_F(counted, lets_go_of_what_is_shared, timeout(30s)) {
    BRIDGE_EVENTUALLY(has_shared.load(), 20s);
    take_what_all_share();
    has_let_go = true;
}

BRIDGE_TEST_F(counted, fails_on_a_thread_of_nobody, tags("nobody")) {
    std::thread([] { BRIDGE_CHECK(2 + 2 == 5); }).join();
    co_await wait_for(1ms);
}

BRIDGE_TEST_F(counted, leaves_native_work) {
    bridge::with_python([] { bridge::to_python_future(wait_for(1h)).inc_ref(); });
    co_await wait_for(5ms);
}

BRIDGE_TEST_F(counted, is_serial, serial()) {
    BRIDGE_CHECK(in_flight == 1);
    co_await wait_for(5ms);
    BRIDGE_CHECK(in_flight == 1);
}

BRIDGE_TEST_SYNC(says_how_many_there_were) {
    BRIDGE_INFO("at most " + std::to_string(most_in_flight) + " at once");
}
