// SPDX-License-Identifier: Apache-2.0
// The Python awaitable that a C++ coroutine waits for, run by the task that awaits the coroutine.
#include "crossing/coroutine.hpp"

#include "crossing/generator_protocol.hpp"
#include "crossing/inside_scope.hpp"
#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>

namespace bridge::detail {
namespace {

// What has to be raised instead of the next step: thrown by the awaiting task, or asked for by C++.
py::object take_exception(coroutine_object* self, PyObject* thrown) {
    const bool cancelled = std::exchange(self->cancels_delegate, false);
    if (thrown != nullptr || !cancelled)
        return py::reinterpret_borrow<py::object>(thrown);
    const auto message = cancel_message_of(*self->op);
    const auto& type = get_imports().cancelled_error;
    return message ? type(message) : type();
}

} // namespace

PySendResult step_delegate(coroutine_object* self, PyObject* value, PyObject* exception,
                           PyObject** result) {
    const inside_scope inside(self->inside);
    PySendResult outcome = PYGEN_ERROR;
    if (exception != nullptr)
        *result =
            call_python([&] { return call_throw(self->extras->delegate, exception, outcome); });
    else
        outcome = call_python([&] { return PyIter_Send(self->extras->delegate, value, result); });
    if (outcome == PYGEN_NEXT)
        Py_XSETREF(self->extras->yielded, Py_NewRef(*result));
    return outcome;
}

bool begin_delegate(coroutine_object* self, awaiting* delegator, PyObject** value) {
    self->now = phase::delegating;
    auto& extras = own_extras(self);
    extras.delegator = delegator;
    delegator->set_runner(self);
    const inside_scope inside(self->inside);
    switch (delegator->prepare()) {
    case awaiting::prepared::awaitable: {
        // From here on the iterator alone keeps it: the garbage collector sees through us, but not
        // through the frame of a C++ coroutine.
        const auto object = delegator->take_object();
        extras.delegate = iterator_of(object.handle().ptr());
        break;
    }
    case awaiting::prepared::value:
        *value = delegator->take_object().release();
        break;
    case awaiting::prepared::failed:
        break;
    }
    return extras.delegate != nullptr;
}

bool end_delegate(coroutine_object* self, PyObject* value, awaiting*& delegator) {
    delegator = std::exchange(self->extras->delegator, nullptr);
    self->now = phase::running;
    forget_delegate(self);
    const bool here = delegator->settle(value);
    Py_XDECREF(value);
    return here;
}

PySendResult next_of_delegate(coroutine_object* self, PyObject* value, PyObject* thrown,
                              PyObject** result) {
    const auto exception = take_exception(self, thrown);
    if (self->extras->delegate != nullptr)
        return step_delegate(self, value, exception.ptr(), result);
    if (exception) { // it never begins
        if (!close_delegate(*self))
            PyErr_WriteUnraisable(nullptr);
        set_exception(exception);
        return PYGEN_ERROR;
    }
    if (begin_delegate(self, self->extras->delegator, result))
        return step_delegate(self, value, nullptr, result);
    return *result != nullptr ? PYGEN_RETURN : PYGEN_ERROR;
}

py::object call_cancel(PyObject* task, PyObject* message) noexcept {
    auto* const method = get_imports().name.cancel.ptr();
    return py::reinterpret_steal<py::object>(call_python([&] {
        return message != nullptr ? PyObject_CallMethodOneArg(task, method, message)
                                  : PyObject_CallMethodNoArgs(task, method);
    }));
}

py::object close_delegate(coroutine_object& self) noexcept {
    const inside_scope inside(self.inside);
    const auto& extras = *self.extras;
    const auto object = extras.delegate != nullptr
                            ? py::reinterpret_borrow<py::object>(extras.delegate)
                            : extras.delegator->take_object().get(); // not begun
    auto* const method = get_imports().name.close.ptr();
    if (!object || PyObject_HasAttr(object.ptr(), method) == 0)
        return py::none();
    return py::reinterpret_steal<py::object>(
        call_python([&] { return PyObject_CallMethodNoArgs(object.ptr(), method); }));
}

py::object cancel_delegate(coroutine_object& self, PyObject* message) noexcept {
    const auto& name = get_imports().name;
    auto* yielded = extras_of(&self).yielded;
    if (yielded == nullptr || PyObject_HasAttr(yielded, name.cancel.ptr()) == 0) {
        self.cancels_delegate = true;
        return py::none();
    }
    return call_cancel(yielded, message);
}

} // namespace bridge::detail
