// SPDX-License-Identifier: Apache-2.0
// Native work for programs that end while it is under way.
#include <bridge/bridge.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

asio::awaitable<int> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return 1;
}

asio::awaitable<void> forever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> spin(int count) {
    for (int i = 0; i < count; ++i)
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

} // namespace

PYBIND11_MODULE(lifetime_native, module) {
    bridge::def_async(module, "hop", &hop);
    bridge::def_async(module, "forever", &forever);
    bridge::def_async(module, "spin", &spin);
    module.def("hot_forever", [] { return bridge::to_python_future(forever()); });
    module.def("hot_spin", [](int count) { return bridge::to_python_future(spin(count)); });
}
