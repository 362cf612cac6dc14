// SPDX-License-Identifier: Apache-2.0
// Native work for loops that run in several threads at once.
#include <bridge/bridge.hpp>

#include "free_threaded.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace boost::asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

asio::awaitable<int> hop(int value) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return value;
}

asio::awaitable<void> forever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
}

std::atomic<bool> may_end = false;

// Does not react to a cancellation.
asio::awaitable<void> deaf() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (!may_end)
        co_await hop(0);
}

asio::awaitable<int> fail(int value) {
    co_await hop(value);
    throw std::out_of_range(std::to_string(value));
}

asio::awaitable<int> ask(bridge::py_ref function, int value) {
    co_await hop(value);
    co_return co_await bridge::call<int>(std::move(function), value);
}

// A plain call on a thread of the runtime, beside those of all loops.
asio::awaitable<int> ask_here(bridge::py_ref function, int value) {
    co_await hop(value);
    co_return bridge::with_gil([&] { return function.get()(value).cast<int>(); });
}

asio::awaitable<void> set_and_get(std::shared_ptr<bridge::py_ref> variable, int value) {
    for (int i = 0; i < 200; ++i) {
        bridge::with_python([&] {
            variable->get().attr("set")(value);
            if (variable->get().attr("get")().cast<int>() != value)
                throw std::logic_error("another thread was in the context");
        });
        co_await hop(i);
    }
}

// Several threads with the same locals, and so with one context.
asio::awaitable<void> set_beside(bridge::py_ref variable) {
    const auto shared = std::make_shared<bridge::py_ref>(std::move(variable));
    const auto locals = bridge::current_locals();
    auto start = [&](int value) {
        return asio::co_spawn(bridge::default_runtime().make_executor(locals),
                              set_and_get(shared, value), asio::use_awaitable);
    };
    co_await (start(1) && start(2) && start(3) && start(4));
}

asio::awaitable<bridge::py_ref> await_it(bridge::py_ref awaitable) {
    co_await hop(0);
    co_return co_await bridge::to_cpp(std::move(awaitable));
}

// Each item comes from a thread of the runtime.
bridge::generator<int> count(int until) {
    for (int i = 0; i < until; ++i)
        co_yield co_await hop(i);
}

asio::awaitable<int> sum(bridge::py_ref iterable, std::size_t buffer) {
    auto items = bridge::to_cpp_stream<int>(std::move(iterable), {.buffer = buffer});
    int all = 0;
    while (const auto item = co_await items.next())
        all += co_await hop(*item);
    co_return all;
}

} // namespace

BRIDGE_PYTHON_MODULE(free_threading_native, module) {
    bridge::init_default_runtime({.threads = 4});
    bridge::def_async(module, "hop", &hop);
    bridge::def_async(module, "fail", &fail);
    bridge::def_async(module, "ask", &ask);
    bridge::def_async(module, "ask_here", &ask_here);
    bridge::def_async(module, "set_beside", &set_beside);
    bridge::def_async(module, "await_it", &await_it);
    bridge::def_async(module, "count", &count, py::arg("until"));
    bridge::def_async(module, "sum", &sum, py::arg("iterable"), py::arg("buffer"));
    module.def("hot_forever", [] { return bridge::to_python_future(forever()); });
    module.def("hot_deaf", [] {
        may_end = false;
        return bridge::to_python_future(deaf());
    });
    module.def("let_end", [] { may_end = true; });
    module.def("set_slow", [](int milliseconds) {
        bridge::set_slow_cancel_duration(std::chrono::milliseconds(milliseconds));
    });
    module.def("hot_hop", [](int value) { return bridge::to_python_future(hop(value)); });
    // Of its own for each loop, as far as nothing else is shared.
    py::class_<bridge::runtime, std::shared_ptr<bridge::runtime>>(module, "Runtime")
        .def(py::init([] {
            return std::make_shared<bridge::runtime>(bridge::runtime_options{.threads = 1});
        }))
        .def("hop", [](bridge::runtime& on, int value) {
            return bridge::to_python(on, bridge::task_locals(), hop(value));
        });
}
