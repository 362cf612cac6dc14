// SPDX-License-Identifier: Apache-2.0
// Crossings in both directions, in one embedded interpreter.
#include "python.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <cerrno>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

asio::awaitable<int> at_once(int value) {
    co_return value;
}

asio::awaitable<int> after_hop(int value) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return value;
}

asio::awaitable<void> forever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<int> call_and_add(bridge::py_ref function) {
    auto object = bridge::with_gil([&] { return bridge::py_ref(function.get()()); });
    const int value = co_await bridge::to_cpp<int>(std::move(object));
    co_return value + 1;
}

asio::awaitable<int> call_after_hop(bridge::py_ref function) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return co_await call_and_add(std::move(function));
}

asio::awaitable<void> fail() {
    throw std::invalid_argument("wrong");
    co_return;
}

asio::awaitable<void> fail_in_latin1() {
    throw boost::system::system_error(ENOENT, boost::system::system_category(), "caf\xe9");
    co_return;
}

py::dict names() {
    auto m = py::module_::import("types").attr("SimpleNamespace")();
    bridge::def_async(m, "at_once", &at_once, py::arg("value"));
    bridge::def_async(m, "after_hop", &after_hop, py::arg("value"), "Adds a hop.");
    bridge::def_async(m, "forever", &forever);
    bridge::def_async(m, "call_and_add", &call_and_add);
    bridge::def_async(m, "call_after_hop", &call_after_hop);
    bridge::def_async(m, "fail", &fail);
    bridge::def_async(m, "fail_in_latin1", &fail_in_latin1);
    py::dict scope;
    scope["m"] = m;
    scope["asyncio"] = py::module_::import("asyncio");
    return scope;
}

long value_of(const char* expression) {
    auto scope = names();
    return check::execute(expression, scope)["result"].cast<long>();
}

} // namespace

TEST("a coroutine that does not suspend gives its result") {
    CHECK(value_of("async def main(): return await m.at_once(7)\nresult = asyncio.run(main())") ==
          7);
}

TEST("asyncio.run takes it directly") {
    CHECK(value_of("result = asyncio.run(m.after_hop(value=8))") == 8);
}

TEST("gather, create_task, wait_for, shield and TaskGroup run it") {
    CHECK(value_of(R"(
async def main():
    total = sum(await asyncio.gather(*(m.after_hop(i) for i in range(100))))
    total += await asyncio.create_task(m.after_hop(1))
    total += await asyncio.wait_for(m.after_hop(2), 5)
    total += await asyncio.shield(m.after_hop(3))
    total += await asyncio.ensure_future(m.after_hop(4))
    for one in asyncio.as_completed([m.after_hop(5), m.at_once(6)]):
        total += await one
    return total
result = asyncio.run(main())
)") == 4950 + 21);
}

// More than a drain's budget, so that batches are left for the next turn while others arrive.
TEST("ten thousand completions at once all arrive") {
    CHECK(value_of(R"(
async def main():
    return sum(await asyncio.gather(*(m.after_hop(1) for _ in range(10000))))
result = sum(asyncio.run(main()) for _ in range(5))
)") == 50000);
}

TEST("C++ awaits a Python coroutine without a task of its own") {
    CHECK(value_of(R"(
async def main():
    task = asyncio.current_task()
    async def f():
        assert asyncio.current_task() is task
        await asyncio.sleep(0)
        return 41
    return await m.call_and_add(f)
result = asyncio.run(main())
)") == 42);
}

TEST("C++ awaits a Python coroutine after a hop") {
    CHECK(value_of(R"(
async def main():
    async def f():
        await asyncio.sleep(0.001)
        return 1
    return sum(await asyncio.gather(*(m.call_after_hop(f) for _ in range(200))))
result = asyncio.run(main())
)") == 400);
}

TEST("cancelling the task unwinds C++ and raises CancelledError") {
    CHECK(value_of(R"(
async def main():
    task = asyncio.create_task(m.forever())
    await asyncio.sleep(0)
    task.cancel("why")
    try:
        await task
    except asyncio.CancelledError as error:
        said = error.args or error.__context__.args  # Python 3.10 makes a new one
        return int(task.cancelled() and said == ("why",))
result = asyncio.run(main())
)") == 1);
}

TEST("wait_for ends it in time") {
    CHECK(value_of(R"(
async def main():
    try:
        await asyncio.wait_for(m.forever(), 0.01)
    except asyncio.TimeoutError:
        return 1
result = asyncio.run(main())
)") == 1);
}

TEST("a C++ exception arrives as the Python one that pybind11 makes of it") {
    CHECK(value_of(R"(
async def main():
    try:
        await m.fail()
    except ValueError as error:
        return int(str(error) == "wrong")
result = asyncio.run(main())
)") == 1);
}

TEST("an error text of any bytes still arrives as the OSError of its errno") {
    CHECK(value_of(R"(
async def main():
    try:
        await m.fail_in_latin1()
    except FileNotFoundError as error:
        return int("caf\\xe9" in str(error))
result = asyncio.run(main())
)") == 1);
}

TEST("def_async makes a coroutine function with name, docs and signature") {
    CHECK(value_of(R"(
import inspect
f = m.after_hop
assert inspect.iscoroutinefunction(f) and asyncio.iscoroutinefunction(f)
assert f.__name__ == "after_hop", f.__name__
assert "Coroutine[typing.Any, typing.Any, int]" in f.__doc__, f.__doc__
assert "Adds a hop." in f.__doc__
coro = f(1)
assert inspect.isawaitable(coro) and asyncio.iscoroutine(coro)
coro.close()
result = 1
)") == 1);
}

TEST("run runs a C++ coroutine that awaits Python") {
    const int value = bridge::run([]() -> asio::awaitable<int> {
        auto sleep = bridge::with_gil(
            [] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(0.001, 5)); });
        co_return co_await bridge::to_cpp<int>(std::move(sleep));
    }());
    CHECK(value == 5);
}

TEST("run throws what the coroutine throws") {
    CHECK_THROWS(std::invalid_argument, bridge::run(fail()));
}

TEST("awaiting a non-awaitable is a TypeError at that co_await") {
    CHECK(bridge::run([]() -> asio::awaitable<bool> {
        try {
            co_await bridge::to_cpp(bridge::with_gil([] { return bridge::py_ref(py::int_(3)); }));
        } catch (const bridge::python_error& error) {
            co_return std::string(error.what()).starts_with("TypeError: to_cpp: a 'int' object");
        }
        co_return false;
    }()));
}

TEST("none of these took the GIL on the library's own account") {
    CHECK(bridge::unasked_gil_takes() == 0);
}

int main() {
    const bridge::interpreter python;
    return check::run();
}
