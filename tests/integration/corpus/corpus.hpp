// SPDX-License-Identifier: Apache-2.0
// What the broken tests share. What each of them must come to is in table.py.
#pragma once

#include <bridge/harness/harness.hpp>

#include <pybind11/eval.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <thread>

#include <unistd.h>

namespace corpus {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Awaits the coroutine function f that this Python code defines.
inline asio::awaitable<void> await_python(const char* code) {
    auto begun = bridge::with_gil([&]() -> bridge::py_ref {
        bridge::py::dict scope;
        scope["__builtins__"] = bridge::py::module_::import("builtins");
        bridge::py::exec(code, scope);
        return scope["f"]();
    });
    co_await bridge::to_cpp(std::move(begun));
}

/// One turn of the loop, so that the test is well under way.
inline asio::awaitable<void> turn() {
    co_await await_python("import asyncio\ndef f(): return asyncio.sleep(0)");
}

inline asio::awaitable<void> sleep(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

[[noreturn]] inline void block() {
    for (;;)
        ::pause();
}

/// Dies of this signal, even if Python or a sanitizer would catch it.
inline void die_of(int signal) {
    std::signal(signal, SIG_DFL);
    ::raise(signal);
}

} // namespace corpus
