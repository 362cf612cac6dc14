// SPDX-License-Identifier: Apache-2.0
// A Python coroutine that C++ awaits in a Task of its own: what that Task shows, and how it ends.
#include "script.hpp"

namespace asio = boost::asio;

namespace {

// With locals of its own choice it does not delegate to the awaiting task.
asio::awaitable<int> await_in_task(bridge::py_ref coroutine) {
    co_return co_await bridge::to_cpp<int>(bridge::current_locals(), std::move(coroutine));
}

void bind(bridge::py::object m) {
    bridge::def_async(m, "await_in_task", &await_in_task);
}

} // namespace

BRIDGE_TEST(the_task_shows_the_coroutine_that_it_runs) {
    co_await script::run(R"py(
import inspect
async def body():
    task = asyncio.current_task()
    coroutine = task.get_coro()
    assert coroutine.__qualname__ == "body" and coroutine.cr_code is body.__code__
    assert coroutine.cr_running and inspect.getcoroutinestate(coroutine) == "CORO_RUNNING"
    assert inspect.iscoroutine(coroutine) and inspect.isawaitable(coroutine)
    assert "body() running at" in repr(task), task
    assert "coroutine object body" in repr(coroutine), coroutine
    await asyncio.sleep(0)
    assert task.get_stack()[-1].f_code is body.__code__
    return 5
async def main():
    assert await m.await_in_task(body()) == 5
)py",
                         bind);
}

BRIDGE_TEST(an_exception_ends_the_task_and_is_not_reported) {
    co_await script::run(R"py(
error = ValueError("from the task")
tasks = []
async def body(waits):
    tasks.append(asyncio.current_task())
    if waits:
        await asyncio.sleep(0)
    raise error
async def main():
    reports = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: reports.append(context))
    for waits in (False, True):
        with raises(ValueError, "from the task"):
            await m.await_in_task(body(waits))
        assert tasks.pop().exception() is error
    loop.set_exception_handler(None)
    assert not reports, reports
)py",
                         bind);
}

BRIDGE_TEST(a_task_that_is_cancelled_in_its_last_step_is_cancelled) {
    co_await script::run(R"py(
async def body(waits):
    if waits:
        await asyncio.sleep(0)
    asyncio.current_task().cancel()
    return 1
async def main():
    for waits in (False, True):
        with raises(asyncio.CancelledError):
            await m.await_in_task(body(waits))
)py",
                         bind);
}

BRIDGE_TEST(a_task_whose_coroutine_somebody_closed_ends_with_that_error) {
    co_await script::run(R"py(
async def body(begun):
    begun.set()
    await asyncio.Event().wait()
async def main():
    begun = asyncio.Event()
    outer = asyncio.create_task(m.await_in_task(body(begun)))
    await begun.wait()
    task, = (task for task in asyncio.all_tasks() if task.get_coro().__name__ == "body")
    task.get_coro().close()
    task.cancel()
    with raises(RuntimeError, "cannot reuse already awaited coroutine"):
        await outer
)py",
                         bind);
}

BRIDGE_TEST(a_task_that_is_over_when_it_is_made_gives_its_end) {
    co_await script::run(R"py(
class Named(asyncio.Future):
    def set_name(self, name): pass # which create_task calls before CPython 3.14
def at_once(loop, coroutine, **named):
    future = Named(loop=loop)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        future.set_result(stop.value)
    except ValueError as error:
        future.set_exception(error)
    return future
async def body(value):
    if value is None:
        raise ValueError("at once")
    return value
async def main():
    loop = asyncio.get_running_loop()
    for factory in (at_once, getattr(asyncio, "eager_task_factory", at_once)):
        loop.set_task_factory(factory)
        try:
            assert await m.await_in_task(body(7)) == 7
            with raises(ValueError, "at once"):
                await m.await_in_task(body(None))
        finally:
            loop.set_task_factory(None)
)py",
                         bind);
}
