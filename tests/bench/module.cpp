// SPDX-License-Identifier: Apache-2.0
// What the benchmarks await.
#include "free_threaded.hpp"
#include "parking.hpp"

#include <bridge/bridge.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

asio::awaitable<int> ready() {
    co_return 1;
}

class counter {
public:
    asio::awaitable<int> add(int step) {
        value_ += step;
        co_return value_;
    }

private:
    int value_ = 0;
};

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// Until the clock of the loop shows that.
asio::awaitable<void> sleep_until(double when) {
    using clock = std::chrono::steady_clock;
    const std::chrono::duration<double> since_epoch(when);
    asio::steady_timer timer(
        co_await asio::this_coro::executor,
        clock::time_point(std::chrono::duration_cast<clock::duration>(since_epoch)));
    co_await timer.async_wait(asio::use_awaitable);
}

// Computes for so long in one handler after another, until it is cancelled.
asio::awaitable<void> spin(double microseconds) {
    for (;;) {
        const auto end = std::chrono::steady_clock::now() +
                         std::chrono::duration<double, std::micro>(microseconds);
        while (std::chrono::steady_clock::now() < end) {
        }
        co_await hop();
    }
}

bench::parking parking;

asio::awaitable<void> park() {
    co_await parking.async_park(asio::use_awaitable);
}

// Awaits the same Python function again and again, inside the awaiting task.
asio::awaitable<void> await_python(bridge::py_ref function, int count) {
    for (int i = 0; i < count; ++i)
        co_await bridge::to_cpp<void>(
            bridge::with_gil([&] { return bridge::py_ref(function.get()()); }));
}

asio::awaitable<void> await_all(bridge::task_locals locals, std::vector<bridge::py_ref> objects) {
    for (auto& object : objects)
        co_await bridge::to_cpp<void>(locals, std::move(object));
}

// From background threads: `window` coroutines at once, each awaiting its share of the objects.
asio::awaitable<void> await_window(bridge::py_ref list, int window) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    const auto locals = bridge::current_locals();
    auto objects = bridge::with_gil([&] {
        std::vector<bridge::py_ref> all;
        for (const auto& one : list.get())
            all.emplace_back(py::reinterpret_borrow<py::object>(one));
        return all;
    });
    std::vector<std::vector<bridge::py_ref>> shares(static_cast<std::size_t>(window));
    for (std::size_t i = 0; i < objects.size(); ++i)
        shares[i % shares.size()].push_back(std::move(objects[i]));
    std::vector<bridge::py_ref> running;
    for (auto& share : shares)
        running.push_back(bridge::with_gil([&] {
            return bridge::py_ref(bridge::to_python_future(bridge::default_runtime(), locals,
                                                           await_all(locals, std::move(share))));
        }));
    for (auto& one : running)
        co_await bridge::to_cpp<void>(locals, std::move(one));
}

// Consumes a Python async iterable; the sum of its items.
asio::awaitable<long> consume(bridge::py_ref iterable, std::size_t buffer) {
    auto items = bridge::to_cpp_stream<long>(std::move(iterable), {.buffer = buffer});
    long sum = 0;
    while (const auto item = co_await items.next())
        sum += *item;
    co_await items.close();
    co_return sum;
}

bridge::generator<long> count(long n) {
    for (long i = 0; i < n; ++i)
        co_yield i;
}

// Threads that compute and never come near Python.
class spinners {
public:
    explicit spinners(int count) {
        for (int i = 0; i < count; ++i)
            threads_.emplace_back([this] {
                while (goes_on_.load(std::memory_order_relaxed)) {
                }
            });
    }

    ~spinners() {
        goes_on_ = false;
        for (auto& thread : threads_)
            thread.join();
    }

private:
    std::atomic<bool> goes_on_{true};
    std::vector<std::thread> threads_;
};

} // namespace

BRIDGE_PYTHON_MODULE(bench_crossings, module) {
    bridge::def_async(module, "ready", &ready);
    bridge::def_async(module, "hop", &hop);
    bridge::def_async(module, "sleep_until", &sleep_until);
    bridge::def_async(module, "spin", &spin);
    bridge::def_async(module, "await_python", &await_python);
    bridge::def_async(module, "await_window", &await_window);
    module.def("hot_hop", [] { return bridge::to_python_future(hop()); });
    bridge::def_async(module, "consume", &consume);
    bridge::def_async(module, "count", &count);
    bridge::def_async(module, "park", &park);
    module.def("hot_park", [] { return bridge::to_python_future(park()); });
    module.def("release", [] { bridge::without_gil([] { parking.release(); }); });
    module.def("parked", [] { return parking.waiting(); });
    module.def("operation_size", [] { return parking.operation_size(); });
    py::class_<spinners>(module, "Spinners").def(py::init<int>());
    module.def("init",
               [](unsigned threads) { bridge::init_default_runtime({.threads = threads}); });
    py::class_<bridge::runtime, std::shared_ptr<bridge::runtime>>(module, "Runtime")
        .def(py::init([] {
            return std::make_shared<bridge::runtime>(bridge::runtime_options{.threads = 1});
        }));
    module.def("hop_on", [](bridge::runtime& on) {
        return bridge::to_python(on, bridge::task_locals(), hop());
    });
    py::class_<counter> type(module, "Counter");
    type.def(py::init<>());
    bridge::def_async(type, "add", &counter::add, py::arg("step"));
}
