// SPDX-License-Identifier: Apache-2.0
#include <bridge/bridge.hpp>

#include <boost/asio/steady_timer.hpp>

namespace asio = boost::asio;

static asio::awaitable<std::string> greet(std::string name) {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    co_return "hello, " + name;
}

PYBIND11_MODULE(greeter, module) {
    bridge::def_async(module, "greet", &greet, pybind11::arg("name"));
}
