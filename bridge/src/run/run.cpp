// SPDX-License-Identifier: Apache-2.0
#include <bridge/run.hpp>

#include "python/imports.hpp"
#include "run_source.hpp"

#include <bridge/blocking.hpp>
#include <bridge/detail/blocking_pool.hpp>
#include <bridge/detail/for_harness.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/detail/python_source.hpp>
#include <bridge/detail/steal_or_throw.hpp>
#include <bridge/error.hpp>
#include <bridge/runtime.hpp>

#include <pybind11/stl.h>

#include <mutex>
#include <stdexcept>

namespace bridge {
namespace {

// While the loop runs, the other one stands still below it.
void stop_below(const py::object& loop, const py::object& stopped) {
    detail::port::of(loop)->stop_below(stopped);
}

void throw_closed() {
    detail::throw_error(errc::loop_closed);
}

// For ever: what is left behind on purpose.
void keep(py::object object) {
    object.release();
}

template<class... Arguments>
py::object call_for_long(const py::object& function, Arguments&&... arguments) {
    const auto all = py::make_tuple(std::forward<Arguments>(arguments)...);
    return detail::steal_or_throw(
        detail::call_python([&] { return PyObject_Call(function.ptr(), all.ptr(), nullptr); }));
}

py::object name_in_run_module(const char* name) {
    auto& all = detail::get_imports();
    const std::lock_guard lock(detail::shared().attach_mutex);
    auto& module = all.run_module;
    if (!module) {
        py::dict given;
        given["native"] = py::module_::import("types").attr("SimpleNamespace")(
            py::arg("cancel") = py::cpp_function(&detail::cancel_native),
            py::arg("describe") = py::cpp_function(&detail::describe_native),
            py::arg("stop_below") = py::cpp_function(&stop_below),
            py::arg("throw_closed") = py::cpp_function(&throw_closed),
            py::arg("keep") = py::cpp_function(&keep));
        module =
            detail::run_embedded("bridge.run", "bridge/src/run/run.py", detail::run_source, given);
    }
    return module[name];
}

double in_seconds(std::chrono::duration<double> time) {
    return time.count();
}

} // namespace

py::object detail::run_in_new_loop(const py::object& main, const run_options& options) {
    try {
        if (options.threads != 0)
            init_default_runtime({.threads = options.threads});
    } catch (...) {
        main.attr("close")(); // nobody can await it any more
        throw;
    }
    const auto factory = options.loop_factory ? options.loop_factory.get() : py::none();
    return call_for_long(name_in_run_module("run"), main, factory, options.debug,
                         in_seconds(options.deadline));
}

py::object detail::run_blocking(const py::object& awaitable) {
    return call_for_long(name_in_run_module("blocking"), awaitable,
                         in_seconds(run_options().deadline));
}

void detail::require_no_coroutine() {
    if (strand::current() != nullptr && !runs_blocking_job())
        throw std::logic_error("bridge::blocking() was called inside a C++ coroutine, which would "
                               "keep the thread that the work may need; co_await it instead");
}

py_ref blocking(const py_ref& awaitable) {
    detail::require_no_coroutine();
    return with_gil([&] { return py_ref(detail::run_blocking(awaitable.get())); });
}

bool detail::outranks(const std::exception_ptr& ended_by, const std::exception_ptr& error) {
    return with_gil([&] {
        const auto end = to_python_exception(ended_by);
        const auto is = [&](py::handle of, py::handle exception) {
            return PyErr_GivenExceptionMatches(exception.ptr(), of.ptr()) != 0;
        };
        const auto& cancelled = get_imports().cancelled_error;
        return is(PyExc_KeyboardInterrupt, end) || is(PyExc_SystemExit, end) ||
               (!is(cancelled, end) && is(cancelled, to_python_exception(error)));
    });
}

void detail::run_loop_until(const py_ref& loop, const py::object& coroutine) {
    call_for_long(loop.get().attr("run_until_complete"), coroutine);
}

void run_forever(const py_ref& loop) {
    detail::strand::run_outside(
        [&] { with_gil([&] { call_for_long(loop.get().attr("run_forever")); }); });
}

} // namespace bridge
