// SPDX-License-Identifier: Apache-2.0
// What those see who look at a C++ coroutine: names, places, states, as of a Python one.
#include "script.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

constexpr int inner_line = __LINE__ + 4;

asio::awaitable<void> inner() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> outer() {
    co_await inner();
}

constexpr int calls_line = __LINE__ + 3;

asio::awaitable<void> calls(bridge::py_ref function) {
    co_await bridge::call<void>(std::move(function));
}

asio::awaitable<int> three() {
    co_return 3;
}

void bind(py::object m) {
    bridge::def_async(m, "outer", &outer);
    bridge::def_async(m, "calls", &calls);
    bridge::def_async(m, "three", &three);
    m.attr("hot") = py::cpp_function([] { return bridge::to_python_future(outer()); });
    m.attr("nameless") = py::cpp_function([] { return bridge::to_python(three()); });
    m.attr("inner_line") = inner_line;
    m.attr("calls_line") = calls_line;
}

// A task that waits in C++, and its coroutine.
constexpr const char* waiting = R"py(
import inspect, io, os, re, types
async def start(make):
    coroutine = make()
    task = asyncio.ensure_future(coroutine)
    while coroutine.cr_frame.f_lineno != m.inner_line:  # it may begin on another thread
        await asyncio.sleep(0.001)
    return coroutine, task
async def stop(task):
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
def place(frame):
    return os.path.basename(frame.f_code.co_filename), frame.f_code.co_name, frame.f_lineno
)py";

} // namespace

BRIDGE_TEST(its_frame_stands_where_it_waits) {
    co_await script::run(std::string(waiting) + R"py(
async def main():
    coroutine, task = await start(m.outer)
    wanted = ("looking.cpp", "inner", m.inner_line)
    assert place(coroutine.cr_frame) == wanted, place(coroutine.cr_frame)
    assert coroutine.cr_frame.f_back is None and coroutine.cr_code.co_name == "inner"
    assert [place(frame) for frame in task.get_stack()] == [wanted]
    out = io.StringIO()
    task.print_stack(file=out)
    assert f'looking.cpp", line {m.inner_line}, in inner' in out.getvalue(), out.getvalue()
    assert f"looking.cpp:{m.inner_line}" in repr(task), repr(task)

    async def around():
        await m.outer()
    outside = around()
    above = asyncio.ensure_future(outside)
    while getattr(outside.cr_await, "cr_await", above) is above or place(outside.cr_await.cr_frame) != wanted:
        await asyncio.sleep(0.001)
    if hasattr(asyncio, "print_call_graph"):
        out = io.StringIO()
        asyncio.print_call_graph(above, file=out)
        text = out.getvalue()
        assert f"line {m.inner_line}, in inner()" in text and "in async around()" in text.replace("main.<locals>.", ""), text
    await stop(above)
    await stop(task)
    assert coroutine.cr_frame is None and coroutine.cr_await is None
)py",
                         bind);
}

BRIDGE_TEST(its_state_is_a_coroutines) {
    co_await script::run(std::string(waiting) + R"py(
async def main():
    state = inspect.getcoroutinestate
    coroutine = m.outer()
    assert inspect.iscoroutine(coroutine) and inspect.isawaitable(coroutine) and asyncio.iscoroutine(coroutine)
    assert isinstance(coroutine, types.CoroutineType) and not inspect.iscoroutine(future := m.hot())
    assert (state(coroutine), coroutine.cr_state) == ("CORO_CREATED", "CORO_CREATED")
    assert coroutine.cr_frame.f_code.co_name == "outer" and coroutine.cr_running is False
    coroutine.close()
    assert (state(coroutine), coroutine.cr_state) == ("CORO_CLOSED", "CORO_CLOSED")
    coroutine, task = await start(m.outer)
    assert (state(coroutine), coroutine.cr_state) == ("CORO_SUSPENDED", "CORO_SUSPENDED")
    await stop(task)
    assert state(coroutine) == "CORO_CLOSED"
    await stop(future)

    seen = []
    async def look():
        seen.append((state(below), below.cr_state, below.cr_running))
        await asyncio.sleep(0)
        seen.append((place(below.cr_frame)[1:], below.cr_await is not None))
    below = m.calls(look)
    await below
    assert seen == [("CORO_RUNNING", "CORO_RUNNING", True), (("calls", m.calls_line), True)], seen
)py",
                         bind);
}

BRIDGE_TEST(its_repr_says_its_name_and_where_it_waits) {
    co_await script::run(std::string(waiting) + R"py(
def check(text, object):
    assert re.fullmatch(text, repr(object)), repr(object)
async def main():
    fresh = m.outer()
    check(r"<C\+\+ coroutine outer at 0x[0-9a-f]+: not begun>", fresh)
    fresh.close()
    check(r"<C\+\+ coroutine outer at 0x[0-9a-f]+: closed>", fresh)
    coroutine, task = await start(m.outer)
    waits = rf"waits in inner at .*looking\.cpp:{m.inner_line}>"
    check(r"<C\+\+ coroutine outer at 0x[0-9a-f]+: " + waits, coroutine)
    await stop(task)
    hot = m.hot()
    while f":{m.inner_line}>" not in repr(hot):
        await asyncio.sleep(0.001)
    check(r"<C\+\+ future \S+ at 0x[0-9a-f]+: " + waits, hot)
    await stop(hot)
    check(r"<C\+\+ future \S+ at 0x[0-9a-f]+: ended by an exception>", hot)
    check(r"<C\+\+ coroutine function three>", m.three)
)py",
                         bind);
}

BRIDGE_TEST(where_it_was_made_is_noted_if_python_is_asked_to) {
    co_await script::run(R"py(
import sys, warnings
async def main():
    before = sys.get_coroutine_origin_tracking_depth()
    try:
        sys.set_coroutine_origin_tracking_depth(0)
        plain = m.three()
        assert plain.cr_origin is None and await plain == 3
        sys.set_coroutine_origin_tracking_depth(1)
        traced, python = m.three(), main()
        line = python.cr_origin[0][1]
        assert traced.cr_origin == ((python.cr_origin[0][0], line, "main"),), traced.cr_origin
        python.close()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del traced
        text = str(caught[0].message)
        assert "coroutine 'three' was never awaited\nCoroutine created at" in text and f"line {line}" in text, text
    finally:
        sys.set_coroutine_origin_tracking_depth(before)
)py",
                         bind);
}

BRIDGE_TEST(without_an_event_loop_it_says_so) {
    co_await script::run(R"py(
import concurrent.futures
def by_hand(coroutine):
    try:
        while True:
            coroutine.send(None)
    except RuntimeError as error:
        return str(error)
async def main():
    def elsewhere():
        coroutine = m.outer()
        return by_hand(coroutine)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        text = pool.submit(elsewhere).result()
    assert text == ("no asyncio event loop runs on this thread (trio?); C++ coroutine 'outer' needs a running one: "
                    "await it in an asyncio task"), text
)py",
                         bind);
}
