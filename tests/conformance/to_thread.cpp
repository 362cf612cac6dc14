// SPDX-License-Identifier: Apache-2.0
// to_thread: blocking functions off the loop, for either side.
#include "script.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

std::atomic<int> begun{0};
std::atomic<int> stopped{0};

// Until it is told to stop.
int wait_for_stop(std::stop_token stop) {
    ++begun;
    std::mutex mutex;
    std::condition_variable_any told;
    std::unique_lock lock(mutex);
    told.wait(lock, stop, [] { return false; });
    ++stopped;
    return 1;
}

asio::awaitable<int> square(int value) {
    auto work = [value] { return value * value; };
    co_return co_await bridge::to_thread(std::move(work));
}

asio::awaitable<int> blocked() {
    co_return co_await bridge::to_thread(&wait_for_stop);
}

asio::awaitable<void> until_begun(int count) {
    while (begun < count)
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<int> read_variable(bridge::py_ref get) {
    co_return co_await bridge::to_thread(
        [&get] { return bridge::with_python([&] { return get.get()().cast<int>(); }); });
}

void bind(py::object m) {
    bridge::def_async(m, "square", &square);
    bridge::def_async(m, "blocked", &blocked);
    bridge::def_async(m, "read_variable", &read_variable);
    m.attr("begun") = py::cpp_function([] { return begun.load(); });
    m.attr("stopped") = py::cpp_function([] { return stopped.load(); });
    m.attr("hot") = py::cpp_function([] {
        return bridge::to_thread([] { return std::string("hot"); }, bridge::use_python_future);
    });
}

} // namespace

BRIDGE_TEST(the_result_comes_back_to_either_side) {
    BRIDGE_CHECK(co_await bridge::to_thread([] { return 5; }) == 5);
    co_await script::run(R"py(
async def main():
    assert await m.square(7) == 49
    assert await asyncio.gather(*(m.square(n) for n in range(50))) == [n * n for n in range(50)]
    assert await m.hot() == "hot"
)py",
                         bind);
}

BRIDGE_TEST(it_runs_on_another_thread_without_the_gil) {
    const auto here = std::this_thread::get_id();
    const bool other = co_await bridge::to_thread(
        [here] { return std::this_thread::get_id() != here && PyGILState_Check() == 0; });
    BRIDGE_CHECK(other);
}

// Asio's default for such a handler is another one since Boost 1.90: to run wherever it is called.
BRIDGE_TEST(a_handler_without_an_executor_runs_on_neither_thread) {
    auto ran_on = std::make_shared<std::thread::id>();
    auto completed = std::make_shared<std::promise<std::thread::id>>();
    auto result = completed->get_future();
    bridge::to_thread(
        [=] { *ran_on = std::this_thread::get_id(); },
        [=](std::exception_ptr) { completed->set_value(std::this_thread::get_id()); });
    co_await bridge::to_thread([&] { result.wait(); });
    const auto completed_on = result.get();
    BRIDGE_CHECK(completed_on != *ran_on);
    BRIDGE_CHECK(completed_on != std::this_thread::get_id());
}

BRIDGE_TEST(what_it_throws_is_thrown) {
    BRIDGE_CHECK_THROWS(std::range_error,
                        co_await bridge::to_thread([] { throw std::range_error("too far"); }));
}

BRIDGE_TEST(it_sees_the_callers_context) {
    co_await script::run(R"py(
import contextvars
v = contextvars.ContextVar("v", default=0)
async def main():
    v.set(8)
    assert await m.read_variable(v.get) == 8
)py",
                         bind);
}

BRIDGE_TEST(cancelling_tells_the_function_and_waits_for_its_end) {
    co_await script::run(R"py(
async def main():
    before, ended = m.begun(), m.stopped()
    task = asyncio.ensure_future(m.blocked())
    while m.begun() == before:
        await asyncio.sleep(0)
    task.cancel()
    with raises(asyncio.CancelledError):
        await task
    assert m.stopped() == ended + 1
)py",
                         bind);
}

BRIDGE_TEST(cancelled_in_the_queue_it_never_begins) {
    co_await script::run(R"py(
import os
async def main():
    before, ended = m.begun(), m.stopped()
    threads = min(32, os.cpu_count() + 4)
    tasks = [asyncio.ensure_future(m.blocked()) for _ in range(threads)]
    while m.begun() < before + threads:
        await asyncio.sleep(0)
    queued = asyncio.ensure_future(m.blocked())
    await asyncio.sleep(0)
    queued.cancel()
    await asyncio.wait([queued])
    assert queued.cancelled() and m.begun() == before + threads
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks) and m.stopped() == ended + threads
    assert await m.square(2) == 4  # and the queue goes on
    assert m.begun() == before + threads
)py",
                         bind);
}

BRIDGE_TEST(the_loser_of_or_is_told_to_stop) {
    using namespace asio::experimental::awaitable_operators;
    const int before = stopped;
    auto first = co_await (blocked() || until_begun(begun + 1));
    BRIDGE_CHECK(first.index() == 1u);
    BRIDGE_CHECK(stopped == before + 1);
}
