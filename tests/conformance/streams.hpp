// SPDX-License-Identifier: Apache-2.0
// Async iterables of Python source text, and how C++ consumes them.
#pragma once

#include "native_work.hpp"

#include <bridge/harness/harness.hpp>

#include <pybind11/eval.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace streams {

namespace asio = boost::asio;
namespace py = pybind11;
using bridge::py_ref;
using bridge::to_cpp_stream;

/// How often a race is tried; BRIDGE_STREAM_RACES=100000 asks for more.
inline int races() {
    const char* wanted = std::getenv("BRIDGE_STREAM_RACES");
    return wanted != nullptr ? std::atoi(wanted) : 2'000;
}

/// Without reading ahead, and with.
inline constexpr std::size_t buffers[] = {0, 4};

inline constexpr const char* prelude = R"(
import asyncio, contextvars, gc, sys, threading
seen = []
raised = asyncio.Event()
async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)
async def until(condition):
    while not condition():
        await asyncio.sleep(0)
async def do(function):
    "In the loop's thread."
    return function()
async def count(n):
    for i in range(n):
        seen.append(i)
        yield i
async def closing(n, clean=turns):
    try:
        for i in range(n):
            yield i
    finally:
        await clean()
        seen.append("closed")
failures = []
def catch_failures(loop=None):
    (loop or asyncio.get_running_loop()).set_exception_handler(
        lambda _, context: failures.append((context["message"], repr(context.get("exception")))))
def run_in_new_loop(main):
    "In a loop of the same kind, ended as asyncio.run() does."
    loop = kind()
    try:
        try:
            main(loop)
        finally:
            asyncio.runners._cancel_all_tasks(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
)";

/// Names of Python source text.
class source {
public:
    explicit source(const std::string& text) {
        const auto locals = bridge::current_locals();
        bridge::with_gil([&] {
            py::dict names;
            names["kind"] = py::type::of(locals.event_loop()); // of the test's own loop
            names["__builtins__"] = py::module_::import("builtins");
            py::exec(prelude, names, names);
            py::exec(text, names, names);
            names_ = py_ref(names);
        });
    }

    /// What an expression gives.
    py_ref value(const char* expression) const {
        return bridge::with_python([&] { return py_ref(evaluate(expression)); });
    }

    /// The same as text.
    std::string text(const char* expression) const {
        return bridge::with_python(
            [&] { return py::str(evaluate(expression)).cast<std::string>(); });
    }

    /// Awaits what an expression gives.
    asio::awaitable<void> run(const char* expression) const {
        co_await bridge::to_cpp<void>(value(expression));
    }

    template<class F>
    void define(const char* name, F&& function) const {
        bridge::with_gil([&] { names()[name] = py::cpp_function(std::forward<F>(function)); });
    }

private:
    py::dict names() const { return py::reinterpret_borrow<py::dict>(names_.handle()); }

    py::object evaluate(const char* expression) const {
        auto scope = names();
        return py::eval(expression, scope, scope);
    }

    py_ref names_;
};

/// Awaits main() of the text, with the names that define(source) adds; the text that it returns.
template<class F>
asio::awaitable<std::string> run_main(const std::string& text, F define) {
    const source python(text);
    native_work::reset_counts();
    define(python);
    co_return co_await bridge::to_cpp<std::string>(python.value("main()"));
}

/// How many native_work::life have begun, and ended.
inline std::string lives() {
    return std::to_string(native_work::begun.load()) + " begun, " +
           std::to_string(native_work::ended.load()) + " ended";
}

/// hold(iterable) makes a stream of it, which stays.
inline void define_hold(const source& python, std::optional<bridge::stream<int>>& held) {
    python.define("hold", [&held](const py::object& iterable) {
        held.emplace(to_cpp_stream<int>(py_ref(iterable), {.buffer = 2}));
    });
}

/// All that are left: "0 1 2".
inline asio::awaitable<std::string> all_of(bridge::stream<int>& items) {
    std::string all;
    while (auto item = co_await items.next())
        all += (all.empty() ? "" : " ") + std::to_string(*item);
    co_return all;
}

/// How an awaitable fails; empty where it does not.
template<class T>
asio::awaitable<std::string> failure_of(asio::awaitable<T> body) {
    try {
        co_await std::move(body);
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return "";
}

inline bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

} // namespace streams
