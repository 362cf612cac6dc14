// SPDX-License-Identifier: Apache-2.0
// Native work for programs that end while it is under way. Built twice, under two names.
#include <bridge/bridge.hpp>

#include "free_threaded.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;

// Of a header that both modules include; the other one tells pybind11 what it is in Python.
class shared_failure : public std::runtime_error {
    using runtime_error::runtime_error;
};

// Runs Python code to become an argument. Owns nothing of Python's meanwhile.
struct computed {
    std::shared_ptr<const bridge::py_ref> function;
};

template<>
struct pybind11::detail::type_caster<computed> {
    static constexpr auto name = const_name("object");

    static handle cast(const computed& value, return_value_policy, handle) {
        return PyObject_CallNoArgs(value.function->get().release().ptr());
    }
};

namespace {

asio::awaitable<void> throw_shared() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    throw shared_failure("thrown by one, known by the other");
}

/// Threads that Python has not seen enter it, one after the other.
class newcomers {
public:
    ~newcomers() { stop(); }

    void start(int at_once) {
        for (int i = 0; i < at_once; ++i)
            threads_.emplace_back([this] {
                while (!stopped_)
                    std::thread([] { bridge::with_gil([] {}); }).join();
            });
    }

    void stop() {
        stopped_ = true;
        for (auto& one : threads_)
            one.join();
        threads_.clear();
    }

private:
    std::atomic<bool> stopped_ = false;
    std::vector<std::thread> threads_;
};

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

// Ends neither by itself nor when it is asked to.
asio::awaitable<void> stubborn() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await forever();
}

asio::awaitable<bridge::py_ref> await_it(bridge::py_ref awaitable) {
    co_return co_await bridge::to_cpp(std::move(awaitable));
}

// Awaits what the function gives, again and again.
asio::awaitable<void> await_many(bridge::py_ref make) {
    for (;;) {
        auto awaitable = bridge::with_gil([&] { return bridge::py_ref(make.get()()); });
        co_await bridge::to_cpp<void>(std::move(awaitable));
    }
}

// A plain call on a thread of the runtime.
asio::awaitable<bridge::py_ref> call_plain(bridge::py_ref function) {
    co_await hop();
    co_return bridge::with_gil([&] { return bridge::py_ref(function.get()()); });
}

// A plain function, called by the loop.
asio::awaitable<bridge::py_ref> call(bridge::py_ref function) {
    co_return co_await bridge::call<>(std::move(function));
}

// Calls when it is called, not when it is awaited. Owns nothing of Python's meanwhile.
asio::awaitable<int> call_at_once(bridge::py_ref function) {
    PyObject* kept = function.get().release().ptr();
    Py_XDECREF(PyObject_CallNoArgs(kept));
    return hop();
}

asio::awaitable<void> call_with_computed(bridge::py_ref function) {
    const auto shared = std::make_shared<const bridge::py_ref>(std::move(function));
    co_await bridge::call<void>(shared, computed{shared});
}

// As by pthread_cancel.
void end_a_thread_inside() {
    const auto end = [] { bridge::with_gil([] { ::pthread_exit(nullptr); }); };
    bridge::without_gil([&] { std::thread(end).join(); });
}

asio::awaitable<int> await_number(bridge::py_ref awaitable) {
    co_return co_await bridge::to_cpp<int>(std::move(awaitable));
}

// Keeps a thread of the runtime, and is deaf.
asio::awaitable<void> block(int milliseconds) {
    co_await hop();
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// Holds the GIL on a thread of the runtime, in calls of its own, until Python ends.
asio::awaitable<void> hold_gil(bridge::py_ref function) {
    for (;;) {
        co_await hop();
        bridge::with_gil([&] { function.get()(); });
    }
}

// The same below a frame that must not be unwound.
asio::awaitable<void> compute_in_python(bridge::py_ref function) {
    co_await hop();
    bridge::with_gil([&]() noexcept { function.get()(); });
}

// A frame that may be unwound without the GIL: it owns nothing of Python's.
asio::awaitable<void> wait_in_python(bridge::py_ref function) {
    co_await hop();
    bridge::with_gil([&] {
        PyObject* kept = function.get().release().ptr();
        Py_XDECREF(PyObject_CallNoArgs(kept));
    });
}

// Destroyed with the statics of the process, after Python.
bridge::runtime& static_runtime() {
    static bridge::runtime instance({.threads = 2});
    return instance;
}

// An executor of a loop, for when that has ended or belongs to the parent.
std::optional<bridge::executor> kept_executor;

asio::awaitable<void> post_there() {
    co_await asio::post(*kept_executor, asio::use_awaitable);
}

asio::awaitable<void> spawn_there() {
    co_await asio::co_spawn(*kept_executor, spin(1), asio::use_awaitable);
}

asio::awaitable<void> sleep_there() {
    asio::steady_timer timer(*kept_executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
}

bridge::runtime& static_thread() {
    static bridge::runtime instance(bridge::current_thread);
    return instance;
}

py::object loop_of_current_locals() {
    return bridge::current_locals().event_loop();
}

// Says on stderr how a next() ends that is pending, and what the next one says. Nothing of Python's
// waits for it.
asio::awaitable<void> watch(bridge::stream<int> items, std::shared_ptr<std::atomic<int>> ends) {
    for (const char* which : {"pending", "afterwards"}) {
        std::string outcome = "no more items";
        try {
            if (const auto item = co_await items.next())
                outcome = std::to_string(*item);
        } catch (const std::exception& error) {
            outcome = error.what();
        }
        std::fprintf(stderr, "next, %s: %s\n", which, outcome.c_str());
        ++*ends;
        ends->notify_all();
    }
}

/// A stream whose consumer waits, in a runtime's thread.
class watched_stream {
public:
    explicit watched_stream(bridge::py_ref iterable) {
        asio::co_spawn(bridge::default_runtime().make_executor(bridge::current_locals()),
                       watch(bridge::to_cpp_stream<int>(std::move(iterable)), ends_),
                       asio::detached);
    }

    void wait() const { // both have ended
        bridge::without_gil([this] {
            for (int seen = *ends_; seen < 2; seen = *ends_)
                ends_->wait(seen);
        });
    }

private:
    std::shared_ptr<std::atomic<int>> ends_ = std::make_shared<std::atomic<int>>(0);
};

std::optional<bridge::stream<int>> kept_stream;

asio::awaitable<void> next_of_kept() {
    co_await kept_stream->next();
}

std::uintptr_t runtime_id() {
    return reinterpret_cast<std::uintptr_t>(&bridge::default_runtime());
}

int run_hop(const py::object& loop_factory, unsigned threads) {
    return bridge::run(hop(), {.loop_factory = bridge::py_ref(loop_factory), .threads = threads});
}

void init(unsigned threads, int exit_deadline) {
    bridge::init_default_runtime(
        {.threads = threads, .exit_deadline = std::chrono::milliseconds(exit_deadline)});
}

bool end_runtime(int milliseconds) {
    return bridge::shutdown_default_runtime(std::chrono::milliseconds(milliseconds));
}

} // namespace

BRIDGE_PYTHON_MODULE(LIFETIME_MODULE, module) {
    module.def("queued", [] {
        std::size_t queued = 0;
        for (const auto& loop : bridge::stats().loops)
            queued += loop.queued;
        return queued;
    });
    bridge::def_async(module, "hop", &hop);
    bridge::def_async(module, "throw_shared", &throw_shared);
    module.def("register_shared", [m = py::handle(module)] {
        py::register_exception<shared_failure>(m, "SharedFailure");
    });
    module.attr("pybind11_major") = PYBIND11_VERSION_MAJOR;
    py::class_<newcomers>(module, "Newcomers", py::module_local())
        .def(py::init<>())
        .def("start", &newcomers::start)
        .def("stop", &newcomers::stop, py::call_guard<py::gil_scoped_release>());
    bridge::def_async(module, "forever", &forever);
    bridge::def_async(module, "spin", &spin);
    bridge::def_async(module, "stubborn", &stubborn);
    bridge::def_async(module, "await_it", &await_it);
    bridge::def_async(module, "await_many", &await_many);
    bridge::def_async(module, "call_plain", &call_plain);
    bridge::def_async(module, "call", &call);
    bridge::def_async(module, "call_at_once", &call_at_once);
    bridge::def_async(module, "call_with_computed", &call_with_computed);
    bridge::def_async(module, "await_number", &await_number);
    module.def("end_a_thread_inside", &end_a_thread_inside);
    bridge::def_async(module, "block", &block);
    module.def("hot_forever", [] { return bridge::to_python_future(forever()); });
    module.def("hot_spin", [](int count) { return bridge::to_python_future(spin(count)); });
    module.def("hot_block", [](int ms) { return bridge::to_python_future(block(ms)); });
    module.def("hot_stubborn", [] { return bridge::to_python_future(stubborn()); });
    module.def("hot_hold_gil", [](bridge::py_ref function) {
        return bridge::to_python_future(hold_gil(std::move(function)));
    });
    module.def("hot_compute_in_python", [](bridge::py_ref function) {
        return bridge::to_python_future(compute_in_python(std::move(function)));
    });
    module.def("hot_wait_in_python", [](bridge::py_ref function) {
        return bridge::to_python_future(wait_in_python(std::move(function)));
    });
    module.def("hot_static_spin", [](int count) {
        return bridge::to_python_future(static_runtime(), bridge::current_locals(), spin(count));
    });
    module.def("hot_static_await_many", [](bridge::py_ref make) {
        return bridge::to_python_future(static_runtime(), bridge::current_locals(),
                                        await_many(std::move(make)));
    });
    module.def("hot_static_hold_gil", [](bridge::py_ref function) {
        return bridge::to_python_future(static_runtime(), bridge::current_locals(),
                                        hold_gil(std::move(function)));
    });
    module.def("keep_executor",
               [](const py::object& loop) { kept_executor = bridge::loop_executor(loop); });
    bridge::def_async(module, "post_there", &post_there);
    bridge::def_async(module, "spawn_there", &spawn_there);
    bridge::def_async(module, "sleep_there", &sleep_there);
    module.def("static_thread_hop",
               [] { return bridge::to_python(static_thread(), bridge::task_locals(), hop()); });
    py::class_<watched_stream>(module, "WatchedStream", py::module_local())
        .def(py::init<bridge::py_ref>())
        .def("wait", &watched_stream::wait);
    module.def("keep_stream", [](bridge::py_ref iterable) {
        kept_stream.emplace(bridge::to_cpp_stream<int>(std::move(iterable)));
    });
    bridge::def_async(module, "next_of_kept", &next_of_kept);
    module.attr("EventLoop") = bridge::event_loop_class();
    module.def("hot_await_many", [](bridge::py_ref make) {
        return bridge::to_python_future(await_many(std::move(make)));
    });
    module.def(
        "run",
        [](bridge::py_ref main, bool debug, int deadline) {
            return bridge::run(await_it(std::move(main)),
                               {.debug = debug, .deadline = std::chrono::milliseconds(deadline)});
        },
        py::arg("main"), py::arg("debug") = false, py::arg("deadline") = 5000);
    module.def("run_hop", &run_hop, py::arg("loop_factory") = py::none(), py::arg("threads") = 0);
    module.def("blocking", [](bridge::py_ref it) { return bridge::blocking(it); });
    module.def("blocking_hop", [] { return bridge::blocking(hop()); });
    module.def("loop_of_current_locals", &loop_of_current_locals);
    module.def("runtime_id", &runtime_id);
    module.def("init", &init, py::arg("threads") = 0, py::arg("exit_deadline") = 2000);
    module.def("shutdown", &end_runtime);
}
