// SPDX-License-Identifier: Apache-2.0
// What the awaitable ended with, as Python sees it.
#include "crossing/coroutine.hpp"

#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>

namespace bridge::detail {
namespace {

// Native code answers a cancel with operation_aborted, which has no message; task.cancel(msg) has.
void give_cancel_message(coroutine_object* self) {
    if (self->cancel_message == nullptr || self->cancel_message == Py_None)
        return;
    const auto arguments =
        py::reinterpret_steal<py::object>(PyObject_GetAttrString(self->exception, "args"));
    if (!arguments || PyTuple_GET_SIZE(arguments.ptr()) != 0)
        return PyErr_Clear();
    auto* exception =
        PyObject_CallOneArg(get_imports().cancelled_error.ptr(), self->cancel_message);
    if (exception == nullptr)
        return PyErr_Clear();
    Py_SETREF(self->exception, exception);
}

} // namespace

void set_loop_error(const coroutine_object* self) noexcept {
    try {
        throw;
    } catch (const boost::system::system_error& error) {
        if (error.code() != make_error_code(errc::no_event_loop))
            return set_crossing_error(std::current_exception());
        PyErr_Format(
            PyExc_RuntimeError,
            "no asyncio event loop runs on this thread (trio?); C++ coroutine '%U' needs a "
            "running one: await it in an asyncio task",
            self->name);
    } catch (...) {
        set_crossing_error(std::current_exception());
    }
}

bool is_cancelled(const coroutine_object* self) {
    return self->exception != nullptr &&
           PyErr_GivenExceptionMatches(self->exception, get_imports().cancelled_error.ptr()) != 0;
}

void set_handled_as_context(PyObject* exception) {
    PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
    PyErr_GetExcInfo(&type, &value, &traceback);
    const auto handled = py::reinterpret_steal<py::object>(value);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    const auto context_of = [](PyObject* of) {
        return py::reinterpret_steal<py::object>(PyException_GetContext(of));
    };
    if (!handled || handled.is_none() || context_of(exception))
        return;
    for (auto link = handled; link; link = context_of(link.ptr()))
        if (link.ptr() == exception)
            return;
    PyException_SetContext(exception, handled.inc_ref().ptr());
}

py::object cancel_message_of(crossing& op) noexcept {
    const auto kept = op.keep_object();
    auto* message = kept ? as_coroutine(kept.ptr())->cancel_message : nullptr;
    return py::reinterpret_borrow<py::object>(message != Py_None ? message : nullptr);
}

void settle(coroutine_object* self) noexcept {
    in_flight::leave(self->membership);
    self->now = phase::settled;
    self->result = self->op->take_result();
    if (!self->op->goes_rounds())
        self->op->drop_kept(); // its frame is gone; native threads may hold the crossing a little
    if (self->result != nullptr)
        return;
    self->exception = take_set_exception().release().ptr();
    if (!is_cancelled(self))
        return;
    self->retrieved = true; // a cancellation needs nobody's attention
    if (self->thrown != nullptr)
        Py_SETREF(self->exception, std::exchange(self->thrown, nullptr));
    else
        give_cancel_message(self);
}

void settle_as_cancelled(coroutine_object* self) noexcept {
    in_flight::leave(self->membership);
    self->now = phase::settled;
    self->retrieved = true;
    self->exception = std::exchange(self->thrown, nullptr);
    if (self->exception != nullptr)
        return;
    self->exception = PyObject_CallNoArgs(get_imports().cancelled_error.ptr());
    if (self->exception == nullptr)
        self->exception = take_set_exception().release().ptr();
    give_cancel_message(self);
}

PyObject* retrieve(coroutine_object* self) {
    self->retrieved = true;
    if (self->exception == nullptr)
        return Py_NewRef(self->result);
    set_handled_as_context(self->exception);
    set_exception(py::reinterpret_borrow<py::object>(self->exception));
    return nullptr;
}

} // namespace bridge::detail
