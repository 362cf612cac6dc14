// SPDX-License-Identifier: Apache-2.0
// call<T>: Python functions called by threads that never touch the GIL.
#include "script.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <pybind11/stl.h>

#include <future>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

using shared_function = std::shared_ptr<const bridge::py_ref>;

shared_function shared(bridge::py_ref function) {
    return std::make_shared<const bridge::py_ref>(std::move(function));
}

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<int> call_twice(bridge::py_ref function, int value, bool hops) {
    const auto f = shared(std::move(function));
    if (hops)
        co_await hop();
    const int once = co_await bridge::call<int>(f, value);
    co_return co_await bridge::call<int>(f, once);
}

asio::awaitable<void> call_until_cancelled(bridge::py_ref function) {
    co_await hop();
    co_await bridge::call<void>(std::move(function));
}

asio::awaitable<void> call_many(bridge::task_locals locals, shared_function f, int calls) {
    for (int i = 0; i < calls; ++i)
        if (co_await bridge::call<int>(locals, f, i) != i + 1)
            throw std::logic_error("a call got another's answer");
}

void bind(py::object m) {
    bridge::def_async(m, "call_twice", &call_twice);
    bridge::def_async(m, "call_until_cancelled", &call_until_cancelled);
}

long references(const shared_function& f) {
    return bridge::with_gil([&] { return static_cast<long>(Py_REFCNT(f->handle().ptr())); });
}

} // namespace

BRIDGE_TEST(a_plain_and_an_async_function_are_called_alike) {
    co_await script::run(R"py(
async def aadd(x):
    await asyncio.sleep(0)
    return x + 1
async def main():
    for f in (lambda x: x + 1, aadd):
        for hops in (False, True):
            assert await m.call_twice(f, 5, hops) == 7
)py",
                         bind);
}

BRIDGE_TEST(the_calling_task_makes_the_call) {
    co_await script::run(R"py(
async def main():
    me = asyncio.current_task()
    seen = []
    def f(x):
        seen.append(asyncio.current_task())
        return x
    async def g(x):
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())
        return x
    for hops in (False, True):
        await m.call_twice(f, 1, hops)
        await m.call_twice(g, 1, hops)
    assert all(task is me for task in seen), seen
)py",
                         bind);
}

BRIDGE_TEST(arguments_of_every_kind_arrive) {
    auto f = script::value("def result(*a): return repr(a)\n");
    const std::vector<int> list{1, 2};
    const auto text = co_await bridge::call<std::string>(
        std::move(f), 1, 2.5, "text", std::string("s"), list, true, std::string_view("view"),
        bridge::with_gil([] { return bridge::py_ref(py::none()); }));
    BRIDGE_CHECK(text == "(1, 2.5, 'text', 's', [1, 2], True, 'view', None)");
}

BRIDGE_TEST(an_exception_of_the_function_is_thrown_by_the_call) {
    auto f = script::value("def result(): raise LookupError('missing')\n");
    BRIDGE_CHECK_RAISES("LookupError", co_await bridge::call<void>(std::move(f)));
}

BRIDGE_TEST(a_result_of_another_type_is_a_type_error) {
    auto f = script::value("def result(): return 'no int'\n");
    BRIDGE_CHECK_RAISES("TypeError", co_await bridge::call<int>(std::move(f)));
}

BRIDGE_TEST(what_cannot_be_called_is_a_type_error) {
    auto f = script::value("result = 3\n");
    BRIDGE_CHECK_RAISES("TypeError", co_await bridge::call<int>(std::move(f)));
}

BRIDGE_TEST(an_empty_function_is_a_type_error) {
    BRIDGE_CHECK_RAISES("TypeError", co_await bridge::call<>(bridge::py_ref(), 1));
    BRIDGE_CHECK_RAISES("TypeError",
                        co_await bridge::call<>(std::shared_ptr<const bridge::py_ref>(), 1));
}

BRIDGE_TEST(an_argument_that_does_not_convert_is_a_type_error) {
    struct unbound {};

    auto f = script::value("def result(x): return x\n");
    BRIDGE_CHECK_RAISES("TypeError", co_await bridge::call<>(std::move(f), unbound()));
}

BRIDGE_TEST(a_stop_iteration_of_a_plain_function_settles_the_call) {
    auto f = script::value("def result(): return next(iter(()))\n");
    BRIDGE_CHECK_RAISES("RuntimeError", co_await bridge::call<int>(std::move(f)));
}

BRIDGE_TEST(cancelling_reaches_the_called_coroutine) {
    co_await script::run(R"py(
async def main():
    ended = []
    begun = asyncio.Event()
    async def f():
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            ended.append(True)
    task = asyncio.ensure_future(m.call_until_cancelled(f))
    await begun.wait()
    task.cancel()
    with raises(asyncio.CancelledError):
        await task
    assert ended == [True]
)py",
                         bind);
}

BRIDGE_TEST(ten_threads_that_never_touch_python_call_it_a_hundred_thousand_times, timeout(60s)) {
    const auto locals = bridge::current_locals();
    const auto f = shared(script::value(
        "class Callable:\n    def __call__(self, x): return x + 1\nresult = Callable()\n"));
    const auto before = references(f);
    const auto unasked = bridge::unasked_gil_takes();
    std::vector<std::jthread> threads;
    std::vector<std::future<void>> ends;
    for (int i = 0; i < 10; ++i) {
        auto on = std::make_shared<asio::io_context>(1);
        ends.push_back(asio::co_spawn(*on, call_many(locals, f, 10'000), asio::use_future));
        threads.emplace_back([on] { on->run(); });
    }
    for (auto& thread : threads) // off the loop: each waits for its own context to be done
        co_await bridge::to_thread([&thread] { thread.join(); });
    for (auto& end : ends)
        end.get();
    BRIDGE_CHECK(references(f) == before);
    BRIDGE_CHECK(bridge::unasked_gil_takes() == unasked);
}
