// SPDX-License-Identifier: Apache-2.0
// What belongs to another loop than the one that awaits it: an error, as in Python, and no hang.
#include "script.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>

BRIDGE_SUITE("foreign_loops")

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

asio::awaitable<void> forever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
    co_await timer.async_wait(asio::use_awaitable);
}

// By a coroutine of its own: nothing is delegated to the awaiting task.
asio::awaitable<int> spawned(bridge::py_ref awaitable) {
    co_return co_await asio::co_spawn(co_await asio::this_coro::executor,
                                      bridge::to_cpp<int>(std::move(awaitable)),
                                      asio::use_awaitable);
}

void bind(py::object m) {
    bridge::def_async(m, "forever", &forever);
    bridge::def_async(m, "spawned", &spawned);
    bridge::def_async(m, "delegated", [](bridge::py_ref awaitable) {
        return bridge::to_cpp<int>(std::move(awaitable));
    });
    m.attr("locals_of") = py::cpp_function(
        [](py::object loop) { const bridge::task_locals locals(std::move(loop)); });
}

} // namespace

BRIDGE_TEST(a_future_of_another_loop_is_refused) {
    co_await script::run(R"py(
async def main():
    other = asyncio.new_event_loop()
    for awaits in (m.spawned, m.delegated):
        future = other.create_future()
        with raises(RuntimeError, "attached to a different loop"):
            await awaits(future)
        future.cancel()
    other.close()
)py",
                         bind);
}

BRIDGE_TEST(one_that_is_done_gives_its_result) {
    co_await script::run(R"py(
async def main():
    other = asyncio.new_event_loop()
    for awaits in (m.spawned, m.delegated):
        future = other.create_future()
        future.set_result(3)
        assert await awaits(future) == 3
        future = other.create_future()
        future.set_exception(KeyError("there"))
        with raises(KeyError):
            await awaits(future)
    other.close()
)py",
                         bind);
}

BRIDGE_TEST(a_coroutine_begun_in_one_loop_is_not_awaited_in_another) {
    co_await script::run(R"py(
import threading
async def main():
    coroutine = m.forever()
    waits = coroutine.send(None)
    said = []
    async def elsewhere():
        task = asyncio.create_task(coroutine)
        try:
            await asyncio.wait_for(task, 5)
        except RuntimeError as error:
            said.append(str(error))
    thread = threading.Thread(target=asyncio.run, args=(elsewhere(),))
    thread.start()
    await asyncio.get_running_loop().run_in_executor(None, thread.join)
    assert len(said) == 1 and "different loop" in said[0], said
)py",
                         bind);
}

BRIDGE_TEST(locals_of_a_closed_loop_are_refused) {
    co_await script::run(R"py(
async def main():
    for used in (False, True):
        loop = asyncio.new_event_loop()
        if used:
            m.locals_of(loop)
        loop.close()
        with raises(RuntimeError, "closed"):
            m.locals_of(loop)
)py",
                         bind);
}
