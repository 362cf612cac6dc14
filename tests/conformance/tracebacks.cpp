// SPDX-License-Identifier: Apache-2.0
// C++ coroutines in Python tracebacks: function, file and line of each co_await that an exception
// left.
#include "script.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <stdexcept>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

namespace {

constexpr int inner_line = __LINE__ + 4;

asio::awaitable<void> inner(bool hop) {
    if (hop)
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    throw std::invalid_argument("from the inside");
}

constexpr int outer_line = __LINE__ + 3;

asio::awaitable<void> outer(bool hop) {
    co_await inner(hop);
}

asio::awaitable<void> through_cpp(bridge::py_ref function) {
    co_await bridge::call<void>(std::move(function));
}

asio::awaitable<void> replaced() {
    bool failed = false;
    try {
        co_await inner(true);
    } catch (const std::invalid_argument&) {
        failed = true;
    }
    if (failed)
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    throw std::out_of_range("another");
}

asio::awaitable<void> forever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> in_a_branch() {
    using namespace asio::experimental::awaitable_operators;
    co_await (outer(true) && forever());
}

void bind(py::object m) {
    bridge::def_async(m, "inner", &inner);
    bridge::def_async(m, "outer", &outer);
    bridge::def_async(m, "through_cpp", &through_cpp);
    bridge::def_async(m, "replaced", &replaced);
    bridge::def_async(m, "in_a_branch", &in_a_branch);
    m.attr("inner_line") = inner_line;
    m.attr("outer_line") = outer_line;
}

constexpr const char* frames_of = R"py(
import os, traceback
def frames(error):
    return [(os.path.basename(f.filename), f.name, f.lineno)
            for f in traceback.extract_tb(error.__traceback__)]
)py";

} // namespace

BRIDGE_TEST(a_traceback_shows_each_coroutine_that_the_exception_left) {
    co_await script::run(std::string(frames_of) + R"py(
async def main():
    for hop in (False, True):
        try:
            await m.outer(hop)
        except ValueError as error:
            shown = frames(error)
            assert shown[0][1] == "main", shown
            assert shown[1] == ("tracebacks.cpp", "outer", m.outer_line), shown
            assert shown[2][:2] == ("tracebacks.cpp", "inner"), shown
            assert not hop or shown[2][2] == m.inner_line, shown  # else it awaited nothing yet
            assert len(shown) == 3, shown
            text = "".join(traceback.format_exception(error))
            there = os.path.exists(traceback.extract_tb(error.__traceback__)[1].filename)
            assert not there or "co_await inner(hop)" in text  # else compiled by a relative path
        else:
            assert False
)py",
                         bind);
}

BRIDGE_TEST(a_python_error_keeps_its_own_frames_below_those_of_cpp) {
    co_await script::run(std::string(frames_of) + R"py(
error_object = KeyError("mine")
async def fails():
    raise error_object
async def hops():
    await asyncio.sleep(0)
    await fails()
async def main():
    for function, python in ((fails, ["fails"]), (hops, ["hops", "fails"])):
        error_object.__traceback__ = None
        try:
            await m.through_cpp(function)
        except KeyError as error:
            assert error is error_object
            names = [name for _, name, _ in frames(error)]
            assert names == ["main", "through_cpp"] + python, names
)py",
                         bind);
}

BRIDGE_TEST(an_exception_thrown_after_another_was_caught_shows_only_its_own_way) {
    co_await script::run(std::string(frames_of) + R"py(
async def main():
    try:
        await m.replaced()
    except IndexError as error:
        names = [name for _, name, _ in frames(error)]
        assert names == ["main", "replaced"], names
)py",
                         bind);
}

BRIDGE_TEST(an_exception_out_of_a_parallel_branch_shows_who_awaited_it) {
    co_await script::run(std::string(frames_of) + R"py(
async def main():
    try:
        await m.in_a_branch()
    except ValueError as error:
        names = [name for _, name, _ in frames(error)]
        assert names == ["main", "in_a_branch"], names
)py",
                         bind);
}

BRIDGE_TEST(a_task_that_fails_in_cpp_shows_it_too) {
    co_await script::run(std::string(frames_of) + R"py(
async def main():
    task = asyncio.ensure_future(m.outer(True))
    await asyncio.wait([task])
    names = [name for _, name, _ in frames(task.exception())]
    assert names == ["outer", "inner"], names
)py",
                         bind);
}
