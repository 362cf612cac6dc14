// SPDX-License-Identifier: Apache-2.0
// Where the body of a test runs.
#include <bridge/harness/harness.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <future>
#include <thread>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

BRIDGE_TEST(a_coroutine, timeout(5s), tags("fast")) {
    asio::steady_timer timer(co_await asio::this_coro::executor, 10ms);
    co_await timer.async_wait(asio::use_awaitable);
}

BRIDGE_TEST_SYNC(a_function_that_may_block) {
    std::promise<int> promise;
    std::jthread other([&] { promise.set_value(1); });
    BRIDGE_CHECK(promise.get_future().get() == 1);
}

BRIDGE_TEST_MAIN_THREAD(a_function_that_runs_a_loop_itself) {
    const auto asyncio = py::module_::import("asyncio");
    BRIDGE_CHECK(asyncio.attr("run")(asyncio.attr("sleep")(0, 42)) == 42);
}

BRIDGE_TEST_PY(a_function_in_python, R"(
    import asyncio

    async def test(temporary_folder):
        await asyncio.sleep(0)
        assert temporary_folder.is_dir()
)")
