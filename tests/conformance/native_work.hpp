// SPDX-License-Identifier: Apache-2.0
// Native work to be cancelled, and what it says about its life.
#pragma once

#include <bridge/bridge.hpp>

#include "turnstile.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <pybind11/eval.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace native_work {

namespace asio = boost::asio;
namespace py = pybind11;
using bridge::py_ref;

inline std::atomic<int> begun;
inline std::atomic<int> ended; ///< their frames are gone
inline std::atomic<int> completed;

/// Counts a coroutine's life.
struct life {
    life() { ++begun; }

    life(const life&) = delete;
    life& operator=(const life&) = delete;

    ~life() { ++ended; }
};

inline asio::awaitable<void> post() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

inline asio::awaitable<void> sleep(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

inline asio::awaitable<int> hop() {
    const life alive;
    co_await post();
    ++completed;
    co_return 1;
}

inline asio::awaitable<int> forever() {
    const life alive;
    co_await sleep(std::chrono::hours(1));
    ++completed;
    co_return 1;
}

inline py_ref call(const py_ref& function) {
    return bridge::with_gil([&] { return py_ref(function.get()()); });
}

/// Whether the exception is Asio's word for a cancellation.
inline bool is_cancellation(const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
}

/// Python before 3.11 tells whoever awaits a cancelled task by a new CancelledError, without the
/// message; the task's own is its context.
inline constexpr const char* told_by = R"(
import sys
def told_by(error):
    while sys.version_info < (3, 11) and type(error) is asyncio.CancelledError and not error.args and isinstance(error.__context__, asyncio.CancelledError):
        error = error.__context__
    return error
)";

/// Names for Python source text; `result` of it, called: an awaitable.
inline py_ref main_of(const std::string& source, const py::dict& extra = {}) {
    py::dict scope = extra;
    scope["__builtins__"] = py::module_::import("builtins");
    scope["asyncio"] = py::module_::import("asyncio");
    scope["gc"] = py::module_::import("gc");
    scope["counts"] = py::cpp_function(
        [] { return py::make_tuple(begun.load(), ended.load(), completed.load()); });
    scope["hop"] = py::cpp_function([] { return bridge::to_python(hop()); });
    scope["hot_hop"] = py::cpp_function([] { return bridge::to_python_future(hop()); });
    scope["forever"] = py::cpp_function([] { return bridge::to_python(forever()); });
    scope["hot_forever"] = py::cpp_function([] { return bridge::to_python_future(forever()); });
    py::exec(told_by, scope, scope);
    py::exec(R"(
async def turns(count=10):
    for _ in range(count):
        await asyncio.sleep(0)

async def until(condition):
    while not condition():
        await asyncio.sleep(0)

async def outcome(awaitable):
    try:
        return await awaitable
    except BaseException as error:
        error = told_by(error)
        return f"{type(error).__name__}{error.args}"
)",
             scope, scope);
    py::exec(source, scope, scope);
    return py_ref(scope["main"]());
}

inline void reset_counts() {
    begun = ended = completed = 0;
}

/// Runs main() of the source text, with one more native function; the text it returns.
template<class F>
asio::awaitable<std::string> run(const char* source, const char* name, F function) {
    reset_counts();
    auto main = bridge::with_gil([&] {
        py::dict extra;
        extra[name] = py::cpp_function(function);
        return main_of(source, extra);
    });
    co_return co_await bridge::to_cpp<std::string>(std::move(main));
}

} // namespace native_work
