// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/report.hpp>

#include "python/imports.hpp"

#include <bridge/detail/port.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/python_error.hpp>

#include <cstdio>
#include <memory>
#include <new>
#include <utility>

namespace bridge::detail {
namespace {

struct escaped final : port_node {
    task_locals locals;
    std::exception_ptr error;
};

void print_to_stderr(const std::exception_ptr& error) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bridge: an exception escaped an Asio handler: %s\n", e.what());
    } catch (...) {
        std::fputs("bridge: an exception of unknown type escaped an Asio handler\n", stderr);
    }
}

void deliver_escaped(port_node* self, bool alive) noexcept {
    const std::unique_ptr<escaped> node(static_cast<escaped*>(self));
    if (!alive)
        return print_to_stderr(node->error);
    report_native_error(node->locals.event_loop(), "Exception escaped an Asio handler",
                        node->error);
}

constinit thread_local const std::exception_ptr* now_reported = nullptr;

bool must_end_the_loop() noexcept {
    return PyErr_ExceptionMatches(PyExc_SystemExit) != 0 ||
           PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0;
}

} // namespace

const std::exception_ptr* reported_error() noexcept {
    return now_reported;
}

void report_native_error(py::handle loop, const char* message,
                         const std::exception_ptr& error) noexcept {
    const auto* before = std::exchange(now_reported, &error);
    report_exception(loop, message, to_python_exception(error));
    now_reported = before;
}

bool report_set_error(py::handle loop, const char* message) noexcept {
    if (must_end_the_loop())
        return false;
    report_exception(loop, message, python_error::fetch().value());
    return true;
}

void report_exception(py::handle loop, const char* message, const py::object& exception) noexcept {
    try {
        py::dict details;
        details["message"] = message;
        details["exception"] = exception;
        auto* const handler = get_imports().name.call_exception_handler.ptr();
        const auto done = py::reinterpret_steal<py::object>(call_python(
            [&] { return PyObject_CallMethodOneArg(loop.ptr(), handler, details.ptr()); }));
        if (!done)
            throw py::error_already_set();
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("bridge: the loop's exception handler");
    }
}

void report_escaped(const strand& from, std::exception_ptr error) noexcept {
    auto* node = from.locals() ? new (std::nothrow) escaped : nullptr;
    if (node == nullptr)
        return print_to_stderr(error);
    node->deliver = &deliver_escaped;
    node->locals = from.locals();
    node->error = std::move(error);
    if (!port_of(node->locals).push(node))
        deliver_escaped(node, false);
}

} // namespace bridge::detail
