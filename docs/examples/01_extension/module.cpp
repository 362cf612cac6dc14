// SPDX-License-Identifier: Apache-2.0
// An extension module whose C++ sleep Python awaits.
#include <bridge/bridge.hpp>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>

namespace asio = boost::asio;

asio::awaitable<std::string> sleep_for(double seconds) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::chrono::milliseconds(static_cast<long>(seconds * 1000)));
    co_await timer.async_wait(asio::use_awaitable);
    co_return "slept";
}

PYBIND11_MODULE(timers, module) {
    bridge::def_async(module, "sleep", &sleep_for, pybind11::arg("seconds"), "Sleeps in C++.");
}
