// SPDX-License-Identifier: Apache-2.0
// The C++ half of the differential programs: the same names as pure.py, and an interpreter to run
// them in, so that sanitizers see both.
#include <bridge/bridge.hpp>

#include "free_threaded.hpp"
#include "turnstile.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <pybind11/embed.h>
#include <pybind11/stl.h>

#include <cstdio>
#include <memory>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;
using namespace std::chrono_literals;
using bridge::py_ref;
using bridge::to_cpp;
using bridge::with_gil;

namespace {

py_ref call(const py_ref& function) {
    return with_gil([&] { return py_ref(function.get()()); });
}

asio::awaitable<void> post() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<py_ref> give(py_ref value) {
    co_return value;
}

asio::awaitable<py_ref> fail(py_ref exception) {
    with_gil([&] {
        PyErr_SetObject(py::type::of(exception.get()).ptr(), exception.handle().ptr());
        throw py::error_already_set();
    });
    co_return py_ref();
}

asio::awaitable<py_ref> hop(py_ref value) {
    co_await post();
    co_return value;
}

asio::awaitable<py_ref> hop_and_fail(py_ref exception) {
    co_await post();
    co_return co_await fail(std::move(exception));
}

asio::awaitable<void> pause_for(double seconds) {
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             std::chrono::nanoseconds(static_cast<long long>(seconds * 1e9)));
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> forever() {
    return pause_for(3600);
}

asio::awaitable<py_ref> call_and_await(py_ref function) {
    co_return co_await to_cpp(call(function));
}

asio::awaitable<py_ref> hop_and_call(py_ref function) {
    co_await post();
    co_return co_await to_cpp(call(function));
}

// A coroutine spawned beside the one that Python awaits: what it awaits needs a task.
asio::awaitable<py_ref> call_in_child(py_ref function) {
    co_return co_await asio::co_spawn(co_await asio::this_coro::executor,
                                      call_and_await(std::move(function)), asio::use_awaitable);
}

asio::awaitable<py_ref> await_it(py_ref awaitable) {
    co_return co_await to_cpp(std::move(awaitable));
}

asio::awaitable<std::vector<py_ref>> call_each(std::vector<py_ref> functions) {
    std::vector<py_ref> results;
    for (const auto& function : functions)
        results.push_back(co_await to_cpp(call(function)));
    co_return results;
}

// try: return await body()  finally: await clean()
asio::awaitable<py_ref> with_cleanup(py_ref body, py_ref clean) {
    py_ref result;
    std::exception_ptr error;
    try {
        result = co_await to_cpp(call(body));
    } catch (...) {
        error = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await to_cpp<void>(call(clean));
    if (error)
        std::rethrow_exception(error);
    co_return result;
}

// try: return await body()  except CancelledError: return value
asio::awaitable<py_ref> swallow(py_ref body, py_ref value) {
    try {
        co_return co_await to_cpp(call(body));
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
            throw;
    }
    co_return value;
}

// try: return await body()  except CancelledError: raise exception
asio::awaitable<py_ref> convert(py_ref body, py_ref exception) {
    try {
        co_return co_await to_cpp(call(body));
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
            throw;
    }
    co_return co_await fail(std::move(exception));
}

// Works natively until it is cancelled, and then works on for a while before it ends.
asio::awaitable<py_ref> unwind_slowly(py_ref at_end) {
    try {
        co_await forever();
    } catch (const boost::system::system_error&) {
    }
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await post();
    co_await post();
    with_gil([&] { at_end.get()(); });
    throw boost::system::system_error(asio::error::operation_aborted);
}

bridge::generator<int> count(int n) {
    for (int i = 0; i < n; ++i)
        co_yield i;
}

bridge::generator<int> hop_and_count(int n) {
    for (int i = 0; i < n; ++i) {
        co_await post();
        co_yield i;
    }
}

bridge::generator<int> wait_and_count(std::shared_ptr<turnstile> by, int n) {
    for (int i = 0; i < n; ++i) {
        co_await by->wait();
        co_yield i;
    }
}

// finally: await clean()
asio::awaitable<void> clean_up(py_ref clean, std::exception_ptr error) {
    co_await to_cpp<void>(call(clean));
    if (error)
        std::rethrow_exception(error);
}

bridge::generator<int> guarded(int n, py_ref clean) {
    std::exception_ptr error;
    try {
        for (int i = 0; i < n; ++i)
            co_yield i;
    } catch (...) {
        error = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await clean_up(std::move(clean), error);
}

bridge::generator<int> guarded_wait(py_ref clean) {
    std::exception_ptr error;
    try {
        co_yield 1;
        co_await forever();
    } catch (...) {
        error = std::current_exception();
    }
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await clean_up(std::move(clean), error);
}

bridge::generator<int> failing(int n, py_ref exception) {
    for (int i = 0; i < n; ++i)
        co_yield i;
    co_await fail(std::move(exception));
}

bridge::generator<std::string> swallowing() {
    try {
        co_await forever();
    } catch (const boost::system::system_error&) {
    }
    co_yield "swallowed";
    co_await post();
    co_yield "after";
}

bridge::generator<py_ref> catching() {
    auto caught = with_gil([] { return py_ref(py::str("ready")); });
    for (;;) {
        try {
            co_yield std::move(caught);
        } catch (const bridge::python_error& error) {
            if (!with_gil([&] { return error.matches(PyExc_ValueError); }))
                throw;
            caught = with_gil([&] { return py_ref(error.value()); });
        }
    }
}

bridge::generator<py_ref, py_ref> echo() {
    py_ref value;
    for (;;) {
        auto sent = co_yield std::move(value);
        value = sent ? std::move(*sent) : py_ref();
    }
}

bridge::generator<int> stubborn() {
    for (;;) {
        bool closed = false;
        try {
            co_yield 1;
        } catch (const boost::system::system_error&) {
            closed = true;
        }
        if (closed)
            co_yield 2;
    }
}

bridge::generator<py_ref> calling(py_ref function, int n) {
    for (int i = 0; i < n; ++i)
        co_yield co_await to_cpp(call(function));
}

template<class T>
py::object hot(asio::awaitable<T> body) {
    return bridge::to_python_future(std::move(body));
}

} // namespace

BRIDGE_EMBEDDED_MODULE(native, m) {
    bridge::def_async(m, "give", &give, py::arg("value") = py::none());
    bridge::def_async(m, "fail", &fail);
    bridge::def_async(m, "hop", &hop, py::arg("value") = py::none());
    bridge::def_async(m, "hop_and_fail", &hop_and_fail);
    bridge::def_async(m, "pause", &pause_for);
    bridge::def_async(m, "forever", &forever);
    bridge::def_async(m, "call", &call_and_await);
    bridge::def_async(m, "hop_and_call", &hop_and_call);
    bridge::def_async(m, "call_in_child", &call_in_child);
    bridge::def_async(m, "await_it", &await_it);
    bridge::def_async(m, "call_each", &call_each);
    bridge::def_async(m, "with_cleanup", &with_cleanup);
    bridge::def_async(m, "swallow", &swallow);
    bridge::def_async(m, "convert", &convert);
    bridge::def_async(m, "unwind_slowly", &unwind_slowly);
    py::class_<turnstile, std::shared_ptr<turnstile>> gates(m, "Gate");
    gates.def(py::init<>()).def("open", &turnstile::open);
    bridge::def_async(gates, "wait", &turnstile::wait);
    bridge::def_async(m, "count", &count);
    bridge::def_async(m, "hop_and_count", &hop_and_count);
    bridge::def_async(m, "wait_and_count", &wait_and_count);
    bridge::def_async(m, "guarded", &guarded);
    bridge::def_async(m, "guarded_wait", &guarded_wait);
    bridge::def_async(m, "failing", &failing);
    bridge::def_async(m, "swallowing", &swallowing);
    bridge::def_async(m, "catching", &catching);
    bridge::def_async(m, "echo", &echo);
    bridge::def_async(m, "stubborn", &stubborn);
    bridge::def_async(m, "calling", &calling);
    m.attr("EventLoop") = bridge::event_loop_class();
    m.def("hot_give", [](py_ref value) { return hot(give(std::move(value))); });
    m.def("hot_fail", [](py_ref exception) { return hot(fail(std::move(exception))); });
    m.def("hot_hop", [](py_ref value) { return hot(hop(std::move(value))); });
    m.def("hot_hop_and_fail",
          [](py_ref exception) { return hot(hop_and_fail(std::move(exception))); });
    m.def("hot_forever", [] { return hot(forever()); });
    m.def("hot_call", [](py_ref function) { return hot(call_and_await(std::move(function))); });
    m.def("hot_swallow", [](py_ref body, py_ref value) {
        return hot(swallow(std::move(body), std::move(value)));
    });
}

// native SCRIPT ARGUMENT...: what python3 would do with it.
int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: differential SCRIPT [ARGUMENT...]\n", stderr);
        return 4;
    }
    const bridge::interpreter python(argc - 1, argv + 1);
    try {
        py::module_::import("runpy").attr("run_path")(argv[1], py::none(), "__main__");
    } catch (py::error_already_set& error) {
        if (error.matches(PyExc_SystemExit)) {
            const py::object code = error.value().attr("code");
            return code.is_none() ? 0 : py::isinstance<py::int_>(code) ? code.cast<int>() : 1;
        }
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
