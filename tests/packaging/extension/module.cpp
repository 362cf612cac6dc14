// SPDX-License-Identifier: Apache-2.0
#include <bridge/bridge.hpp>

#include <boost/asio/steady_timer.hpp>

#include <unistd.h>

namespace asio = boost::asio;

// The thread that it runs on after a wait.
static asio::awaitable<int> thread() {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    co_return gettid();
}

static asio::awaitable<int> await_other(bridge::py_ref awaitable) {
    co_return co_await bridge::to_cpp<int>(std::move(awaitable));
}

PYBIND11_MODULE(EXTENSION, module) {
    bridge::def_async(module, "thread", &thread);
    bridge::def_async(module, "await_other", &await_other, pybind11::arg("awaitable"));
}
