// SPDX-License-Identifier: Apache-2.0
// What the awaitable ended with, as Python sees it.
#include "crossing/coroutine.hpp"

#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>

namespace bridge::detail {
namespace {

// Native code answers a cancel with operation_aborted, which has no message; task.cancel(msg) has.
void give_cancel_message(coroutine_object* self) {
    auto* message = extras_of(self).cancel_message;
    if (message == nullptr || message == Py_None)
        return;
    const auto arguments =
        py::reinterpret_steal<py::object>(PyObject_GetAttrString(self->outcome, "args"));
    if (!arguments || PyTuple_GET_SIZE(arguments.ptr()) != 0)
        return PyErr_Clear();
    auto* exception = PyObject_CallOneArg(get_imports().cancelled_error.ptr(), message);
    if (exception == nullptr)
        return PyErr_Clear();
    Py_SETREF(self->outcome, exception);
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
    return self->failed &&
           PyErr_GivenExceptionMatches(self->outcome, get_imports().cancelled_error.ptr()) != 0;
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
    auto* message = kept ? extras_of(as_coroutine(kept.ptr())).cancel_message : nullptr;
    return py::reinterpret_borrow<py::object>(message != Py_None ? message : nullptr);
}

void forget_delegate(coroutine_object* self) noexcept {
    if (self->extras == nullptr)
        return;
    Py_CLEAR(self->extras->delegate);
    Py_CLEAR(self->extras->yielded);
}

void forget_result(coroutine_object* self) noexcept {
    self->failed = false;
    Py_CLEAR(self->outcome);
}

void restart(coroutine_object* self) noexcept {
    const object_lock alone(as_object(self));
    self->op->forget_requests();
    forget_result(self);
    if (auto* extras = self->extras) {
        Py_CLEAR(extras->cancel_message);
        Py_CLEAR(extras->thrown);
        extras->watch.of = nullptr;
    }
    self->retrieved = false;
    self->cancels_delegate = false;
    self->now = phase::created;
}

void settle(coroutine_object* self) noexcept {
    in_flight::leave(self->membership);
    self->now = phase::settled;
    self->outcome = self->op->take_result();
    if (!self->op->goes_rounds())
        self->op->drop_kept(); // its frame is gone; native threads may hold the crossing a little
    self->failed = self->outcome == nullptr;
    if (!self->failed)
        return;
    self->outcome = take_set_exception().release().ptr();
    if (!is_cancelled(self))
        return;
    self->retrieved = true; // a cancellation needs nobody's attention
    if (extras_of(self).thrown != nullptr)
        Py_SETREF(self->outcome, std::exchange(self->extras->thrown, nullptr));
    else
        give_cancel_message(self);
}

void settle_as_cancelled(coroutine_object* self) noexcept {
    in_flight::leave(self->membership);
    self->now = phase::settled;
    self->retrieved = true;
    self->failed = true;
    self->outcome =
        self->extras != nullptr ? std::exchange(self->extras->thrown, nullptr) : nullptr;
    if (self->outcome != nullptr)
        return;
    self->outcome = PyObject_CallNoArgs(get_imports().cancelled_error.ptr());
    if (self->outcome == nullptr)
        self->outcome = take_set_exception().release().ptr();
    give_cancel_message(self);
}

PyObject* retrieve(coroutine_object* self) {
    self->retrieved = true;
    if (!self->failed)
        return Py_NewRef(self->outcome);
    set_handled_as_context(self->outcome);
    set_exception(py::reinterpret_borrow<py::object>(self->outcome));
    return nullptr;
}

} // namespace bridge::detail
