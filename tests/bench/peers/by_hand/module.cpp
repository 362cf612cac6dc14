// SPDX-License-Identifier: Apache-2.0
// What people write today with pybind11 and Asio: a Future for each call, and call_soon_threadsafe
// from the thread on which the C++ coroutine ended.
#include "../../parking.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <pybind11/eval.h>
#include <pybind11/pybind11.h>

#include <exception>
#include <memory>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

asio::thread_pool& pool() {
    static auto* const only =
        new asio::thread_pool(2); // never joined: Python may have ended by then
    return *only;
}

asio::awaitable<void> ready() {
    co_return;
}

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

bench::parking parking;

asio::awaitable<void> park() {
    co_await parking.async_park(asio::use_awaitable);
}

struct pending {
    py::object loop;
    py::object future;
    py::object settle;
};

py::object start(asio::awaitable<void> body) {
    static const auto* const get_running_loop =
        new py::object(py::module_::import("asyncio").attr("get_running_loop"));
    static const auto* const settle =
        new py::object(py::eval("lambda future: future.done() or future.set_result(None)"));
    auto loop = (*get_running_loop)();
    auto future = loop.attr("create_future")();
    auto* waiting = new pending{loop, future, *settle};
    {
        const py::gil_scoped_release released;
        asio::co_spawn(pool(), std::move(body), [waiting](const std::exception_ptr&) {
            const py::gil_scoped_acquire acquired;
            const std::unique_ptr<pending> ended(waiting);
            ended->loop.attr("call_soon_threadsafe")(ended->settle, ended->future);
        });
    }
    return future;
}

} // namespace

PYBIND11_MODULE(bench_by_hand, module) {
    module.def("ready", [] { return start(ready()); });
    module.def("hop", [] { return start(hop()); });
    module.def("park", [] { return start(park()); });
    module.def("release", [] {
        const py::gil_scoped_release released;
        parking.release();
    });
}
