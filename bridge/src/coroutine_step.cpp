// SPDX-License-Identifier: Apache-2.0
// Running the awaitable: send, throw, close, and the delegation to what C++ awaits.
#include "coroutine.hpp"

#include "imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/gil.hpp>

namespace bridge::detail {
namespace {

// As the strand's holder, without the GIL; false where the runtime has ended.
template<class F>
bool run_inline(crossing& op, F&& f) {
    const gate_guard inside(op.on().life());
    if (!inside)
        return false;
    const gil_pause pause;
    op.run_held(std::forward<F>(f));
    return true;
}

PySendResult fail_used_up() {
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    return PYGEN_ERROR;
}

PySendResult give_result(coroutine_object* self, PyObject** result) {
    *result = retrieve(self);
    if (!self->hot)
        self->now = phase::closed;
    return *result != nullptr ? PYGEN_RETURN : PYGEN_ERROR;
}

// The awaiting task gets the object itself as the future to wait for.
PySendResult yield_self(coroutine_object* self, PyObject** result) {
    self->blocking = true;
    *result = Py_NewRef(as_object(self));
    return PYGEN_NEXT;
}

bool find_locals(coroutine_object* self) {
    auto& op = *self->op;
    if (!op.locals()) {
        try {
            op.set_locals(task_locals::with_running_loop());
        } catch (...) {
            set_crossing_error(std::current_exception());
            return false;
        }
    }
    if (self->membership.home == nullptr)
        op.locals().port().join(self->membership);
    return true;
}

// Native code goes on by itself and tells the loop when it has something.
PySendResult wait_for_native(coroutine_object* self, PyObject** result) {
    auto& op = *self->op;
    if (!find_locals(self)) {
        self->now = phase::closed;
        op.set_object(nullptr);
        op.end_inline();
        op.request_cancel();
        return PYGEN_ERROR;
    }
    self->now = phase::running;
    op.set_driven_by_task(!self->hot);
    op.end_inline();
    return yield_self(self, result);
}

// The iterator behind an awaitable, as `await` finds it; null with TypeError set.
PyObject* iterator_of(PyObject* awaitable) {
    if (PyCoro_CheckExact(awaitable) ||
        (PyGen_CheckExact(awaitable) && is_awaitable_object(awaitable)))
        return Py_NewRef(awaitable);
    const auto* async = Py_TYPE(awaitable)->tp_as_async;
    if (async != nullptr && async->am_await != nullptr) {
        auto* iterator = async->am_await(awaitable);
        if (iterator != nullptr && PyIter_Check(iterator) == 0) {
            PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'",
                         Py_TYPE(iterator)->tp_name);
            Py_CLEAR(iterator);
        }
        return iterator;
    }
    PyErr_Format(
        PyExc_TypeError,
        "to_cpp: a '%.100s' object cannot be awaited; pass a coroutine, a Task, a Future or "
        "an object with __await__",
        Py_TYPE(awaitable)->tp_name);
    return nullptr;
}

PyObject* call_throw(PyObject* inner, PyObject* exception, PySendResult& outcome) {
    const auto& name = get_imports().name;
    auto* result = PyObject_CallMethodOneArg(inner, name.throw_.ptr(), exception);
    outcome = PYGEN_NEXT;
    if (result != nullptr)
        return result;
    outcome = PYGEN_ERROR;
    if (PyErr_ExceptionMatches(PyExc_StopIteration) != 0) {
        const auto stop = take_set_exception();
        outcome = PYGEN_RETURN;
        return PyObject_GetAttrString(stop.ptr(), "value");
    }
    if (PyErr_ExceptionMatches(PyExc_AttributeError) != 0 &&
        PyObject_HasAttr(inner, name.throw_.ptr()) == 0)
        set_exception(py::reinterpret_borrow<py::object>(exception));
    return nullptr;
}

// One step of what is delegated to: sends the value, or throws the exception where there is one.
PySendResult step_inner(coroutine_object* self, PyObject* value, PyObject* exception,
                        PyObject** result) {
    py::object cancelled;
    if (std::exchange(self->cancel_inner, false) && exception == nullptr) {
        cancelled = get_imports().cancelled_error();
        exception = cancelled.ptr();
    }
    PySendResult outcome = PYGEN_ERROR;
    if (exception != nullptr)
        *result = call_throw(self->inner, exception, outcome);
    else
        outcome = PyIter_Send(self->inner, value, result);
    if (outcome == PYGEN_NEXT)
        Py_XSETREF(self->yielded, Py_NewRef(*result));
    return outcome;
}

// Begins with what the coroutine waits for; false where it is over at once, with the value or the
// error set.
bool begin_inner(coroutine_object* self, awaiting* waiter, PyObject** value) {
    self->now = phase::delegating;
    self->waiter = waiter;
    waiter->set_runner(self);
    switch (waiter->prepare()) {
    case awaiting::prepared::awaitable:
        self->inner = iterator_of(waiter->object().handle().ptr());
        break;
    case awaiting::prepared::value:
        *value = waiter->object().get().release().ptr();
        break;
    case awaiting::prepared::failed:
        break;
    }
    return self->inner != nullptr;
}

// The delegated object ended; true where its waiter may be resumed here.
bool end_inner(coroutine_object* self, PyObject* value, awaiting*& waiter) {
    waiter = std::exchange(self->waiter, nullptr);
    self->now = phase::running;
    Py_CLEAR(self->inner);
    Py_CLEAR(self->yielded);
    const bool here = waiter->settle(value);
    Py_XDECREF(value);
    return here;
}

PySendResult wait_for_inner(coroutine_object* self) {
    if (!find_locals(self))
        PyErr_Clear(); // driven by hand, without a loop: only cancelling from C++ would need one
    self->op->end_inline();
    return PYGEN_NEXT;
}

// Goes on, holding the strand, until the coroutine ends or has to wait.
PySendResult go_on(coroutine_object* self, PyObject** result) {
    auto& op = *self->op;
    while (!op.finished()) {
        auto* waiter = op.take_delegation();
        if (waiter == nullptr)
            return wait_for_native(self, result);
        PyObject* value = nullptr;
        if (begin_inner(self, waiter, &value)) {
            const auto outcome = step_inner(self, Py_None, nullptr, &value);
            if (outcome == PYGEN_NEXT) {
                *result = value;
                return wait_for_inner(self);
            }
        }
        if (end_inner(self, value, waiter) && !run_inline(op, [waiter] { waiter->resume(); }))
            waiter->resume_later();
    }
    op.end_inline();
    settle(self);
    return give_result(self, result);
}

// A step of the delegated object, and of the coroutine behind it where that step was the last.
PySendResult step_delegation(coroutine_object* self, PyObject* value, PyObject* exception,
                             PyObject** result) {
    PyObject* outcome_value = nullptr;
    const bool begun = self->inner != nullptr || begin_inner(self, self->waiter, &outcome_value);
    if (begun && step_inner(self, value, exception, &outcome_value) == PYGEN_NEXT) {
        *result = outcome_value;
        return PYGEN_NEXT;
    }
    awaiting* waiter = nullptr;
    auto& op = *self->op;
    if (!end_inner(self, outcome_value, waiter))
        return yield_self(self, result);
    if (!op.try_hold()) {
        waiter->resume_later();
        return yield_self(self, result);
    }
    op.begin_inline();
    if (!run_inline(op, [waiter] { waiter->resume(); })) {
        op.end_inline();
        waiter->resume_later();
        return yield_self(self, result);
    }
    return go_on(self, result);
}

// tp_iternext and send(): StopIteration carries the value.
PyObject* as_generator(PySendResult outcome, PyObject* result) {
    if (outcome != PYGEN_RETURN)
        return result;
    if (result == Py_None) {
        Py_DECREF(result);
        PyErr_SetNone(PyExc_StopIteration);
        return nullptr;
    }
    // A tuple or an exception would be taken for the arguments of StopIteration.
    auto* stop = PyObject_CallOneArg(PyExc_StopIteration, result);
    Py_DECREF(result);
    if (stop != nullptr)
        PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
    return nullptr;
}

// The exception that throw(type[, value[, traceback]]) means; null with the error set.
py::object exception_from(PyObject* arguments) {
    PyObject* type = nullptr;
    PyObject* value = nullptr;
    PyObject* traceback = nullptr;
    if (PyArg_UnpackTuple(arguments, "throw", 1, 3, &type, &value, &traceback) == 0)
        return {};
    if (PyExceptionInstance_Check(type))
        return py::reinterpret_borrow<py::object>(type);
    if (!PyExceptionClass_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from BaseException, not %s",
                     Py_TYPE(type)->tp_name);
        return {};
    }
    if (value != nullptr && PyExceptionInstance_Check(value))
        return py::reinterpret_borrow<py::object>(value);
    const bool bare = value == nullptr || value == Py_None;
    return py::reinterpret_steal<py::object>(bare ? PyObject_CallNoArgs(type)
                                                  : PyObject_CallOneArg(type, value));
}

bool is_generator_exit(const py::object& exception) {
    return PyErr_GivenExceptionMatches(exception.ptr(), PyExc_GeneratorExit) != 0;
}

PySendResult throw_into(coroutine_object* self, const py::object& exception, PyObject** result) {
    switch (self->now) {
    case phase::delegating:
        if (is_generator_exit(exception))
            break;
        return step_delegation(self, nullptr, exception.ptr(), result);
    case phase::running:
        if (is_generator_exit(exception))
            break;
        // Native code is asked to end; the exception goes on once it has.
        Py_XSETREF(self->thrown, exception.inc_ref().ptr());
        self->op->request_cancel();
        return yield_self(self, result);
    case phase::closed:
        return fail_used_up();
    case phase::created:
    case phase::settled:
        self->now = self->hot ? self->now : phase::closed;
        set_exception(exception);
        return PYGEN_ERROR;
    }
    detach(self);
    set_exception(exception);
    return PYGEN_ERROR;
}

void start(coroutine_object* self) {
    auto& op = *self->op;
    self->now = phase::running;
    op.begin_inline();
    op.set_driven_by_task(!self->hot);
    if (!run_inline(op, [&op] { op.start(); }))
        op.fail_to_start();
}

PySendResult step(coroutine_object* self, PyObject* value, PyObject** result) {
    switch (self->now) {
    case phase::created:
        start(self);
        return go_on(self, result);
    case phase::delegating:
        return step_delegation(self, value, nullptr, result);
    case phase::running:
        return yield_self(self, result);
    case phase::settled:
        return give_result(self, result);
    case phase::closed:
        break;
    }
    return fail_used_up();
}

} // namespace

void start_hot(coroutine_object* self) {
    auto& op = *self->op;
    start(self);
    if (op.finished()) {
        op.end_inline();
        settle(self);
        return;
    }
    if (!find_locals(self)) {
        self->now = phase::closed;
        op.set_object(nullptr);
        op.end_inline();
        op.request_cancel();
        throw py::error_already_set();
    }
    op.end_inline();
}

PySendResult coroutine_am_send(PyObject* self, PyObject* value, PyObject** result) {
    const auto alive = py::reinterpret_borrow<py::object>(self);
    *result = nullptr;
    return step(as_coroutine(self), value, result);
}

PyObject* coroutine_next(PyObject* self) {
    return coroutine_send(self, Py_None);
}

PyObject* coroutine_send(PyObject* self, PyObject* value) {
    if (value != Py_None && as_coroutine(self)->now == phase::created) {
        PyErr_SetString(PyExc_TypeError, "can't send non-None value to a just-started coroutine");
        return nullptr;
    }
    PyObject* result = nullptr;
    const auto outcome = coroutine_am_send(self, value, &result);
    return as_generator(outcome, result);
}

PyObject* coroutine_throw(PyObject* self, PyObject* arguments) {
    const auto alive = py::reinterpret_borrow<py::object>(self);
    const auto exception = exception_from(arguments);
    if (!exception)
        return nullptr;
    PyObject* result = nullptr;
    const auto outcome = throw_into(as_coroutine(self), exception, &result);
    return as_generator(outcome, result);
}

PyObject* coroutine_close(PyObject* object, PyObject*) {
    auto* self = as_coroutine(object);
    const auto alive = py::reinterpret_borrow<py::object>(object);
    if (self->now == phase::running || self->now == phase::delegating)
        detach(self);
    self->now = phase::closed;
    Py_RETURN_NONE;
}

void on_crossing_ready(coroutine_object& self) noexcept {
    auto& op = *self.op;
    if (op.finished()) {
        settle(&self);
    } else if (auto* waiter = op.take_delegation()) {
        if (self.callback == nullptr)
            return waiter->run_as_task(); // nobody is there to run it
        self.now = phase::delegating;
        self.waiter = waiter;
        waiter->set_runner(&self);
    }
    Py_INCREF(as_object(&self)); // until it is woken
    op.locals().port().wake_after_drain(&self.wake);
}

py::object cancel_delegate(coroutine_object& self) noexcept {
    const auto method = get_imports().name.cancel;
    if (self.yielded == nullptr || PyObject_HasAttr(self.yielded, method.ptr()) == 0) {
        self.cancel_inner = true;
        return py::none();
    }
    return py::reinterpret_steal<py::object>(PyObject_CallMethodNoArgs(self.yielded, method.ptr()));
}

} // namespace bridge::detail
