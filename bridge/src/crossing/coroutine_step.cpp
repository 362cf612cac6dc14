// SPDX-License-Identifier: Apache-2.0
// Running the awaitable: send, throw, close, and the delegation to what C++ awaits.
#include "crossing/coroutine.hpp"

#include "crossing/generator_protocol.hpp"
#include "python/exit.hpp"
#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/gil.hpp>

namespace bridge::detail {
namespace {

template<class F>
void run_without_gil(crossing& op, F&& f) {
    const short_gil_pause pause;
    op.run_held(std::forward<F>(f));
}

// As the strand's holder, without the GIL; false if the runtime has ended.
template<class F>
bool run_inline(crossing& op, F&& f) {
    auto& on = op.on();
    if (on.needs_this_thread() && on.life().is_open()) { // it cannot end before this has
        run_without_gil(op, f);
        return true;
    }
    // Under the GIL both ways, which is given up in between.
    const gate_guard inside(on.life(), !free_threaded && has_process_fence());
    if (inside)
        run_without_gil(op, f);
    return static_cast<bool>(inside);
}

PySendResult fail_used_up() {
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    return PYGEN_ERROR;
}

PySendResult give_result(coroutine_object* self, PyObject** result) {
    stay_at_exit(); // what native code answers by then is that everything has ended
    *result = retrieve(self);
    if (!self->hot) { // given away, as a coroutine's: a task keeps its coroutine longer than that
        self->now = phase::closed;
        forget_result(self);
    }
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
            set_loop_error(self);
            return false;
        }
    }
    if (self->membership.home.load(std::memory_order_relaxed) == nullptr)
        port_of(op.locals()).members().join(self->membership);
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

PySendResult wait_for_delegate(coroutine_object* self) {
    if (!find_locals(self))
        PyErr_Clear(); // driven by hand, without a loop: only cancelling from C++ would need one
    self->op->end_inline();
    return PYGEN_NEXT;
}

// In a forked child nobody is left to take the result: drop a value, pass an error on.
PySendResult end_in_child(coroutine_object* self, PyObject* value) {
    in_flight::leave(self->membership);
    self->now = phase::closed;
    if (self->extras != nullptr)
        self->extras->delegator = nullptr;
    {
        const py::error_scope keep_set_error;
        forget_delegate(self);
    }
    if (value == nullptr)
        return PYGEN_ERROR;
    Py_DECREF(value);
    set_crossing_error(
        std::make_exception_ptr(boost::system::system_error(make_error_code(errc::forked))));
    return PYGEN_ERROR;
}

// Goes on, holding the strand, until the coroutine ends or has to wait.
PySendResult go_on(coroutine_object* self, PyObject** result) {
    auto& op = *self->op;
    while (!op.finished()) {
        auto* delegator = op.take_delegation();
        if (delegator == nullptr)
            return wait_for_native(self, result);
        PyObject* value = nullptr;
        if (begin_delegate(self, delegator, &value)) {
            const auto outcome = step_delegate(self, Py_None, nullptr, &value);
            if (outcome == PYGEN_NEXT) {
                *result = value;
                return wait_for_delegate(self);
            }
        }
        if (op.on().is_parents_copy()) { // it forked
            op.end_inline();
            return end_in_child(self, value);
        }
        if (end_delegate(self, value, delegator) &&
            !run_inline(op, [delegator] { delegator->resume(); }))
            delegator->resume_later();
    }
    if (op.awaits_others()) {
        const auto outcome = wait_for_native(self, result);
        op.end_one();
        return outcome;
    }
    op.end_inline();
    settle(self);
    return give_result(self, result);
}

// The coroutine behind a delegation that has ended, in this step if its strand is free.
PySendResult resume_and_go_on(coroutine_object* self, awaiting* delegator, PyObject** result) {
    auto& op = *self->op;
    if (!op.on().may_start_here() || !op.try_hold()) {
        delegator->resume_later();
        return yield_self(self, result);
    }
    op.begin_inline();
    if (!run_inline(op, [delegator] { delegator->resume(); })) {
        op.end_inline();
        delegator->resume_later();
        return yield_self(self, result);
    }
    return go_on(self, result);
}

// The delegated object ended, with the value or the error set.
PySendResult end_delegation(coroutine_object* self, PyObject* value, PyObject** result) {
    if (self->op->on().is_parents_copy())
        return end_in_child(self, value);
    awaiting* delegator = nullptr;
    if (!end_delegate(self, value, delegator))
        return yield_self(self, result);
    return resume_and_go_on(self, delegator, result);
}

// A step of the delegated object, and of the coroutine behind it if that step was the last.
PySendResult step_delegation(coroutine_object* self, PyObject* value, PyObject* exception,
                             PyObject** result) {
    PyObject* outcome_value = nullptr;
    if (next_of_delegate(self, value, exception, &outcome_value) == PYGEN_NEXT) {
        *result = outcome_value;
        return PYGEN_NEXT;
    }
    return end_delegation(self, outcome_value, result);
}

// Closes what is delegated to, and lets the coroutine behind it unwind here if it can.
PySendResult unwind(coroutine_object* self, PyObject** result) {
    const auto closed = close_delegate(*self);
    if (closed)
        PyErr_SetNone(get_imports().cancelled_error.ptr());
    return end_delegation(self, nullptr, result);
}

// GeneratorExit ends the coroutine as a cancellation does; what goes on is the exception itself.
PySendResult exit_delegation(coroutine_object* self, const py::object& exception,
                             PyObject** result) {
    const auto outcome = unwind(self, result);
    if (outcome != PYGEN_ERROR || PyErr_ExceptionMatches(get_imports().cancelled_error.ptr()) == 0)
        return outcome;
    PyErr_Clear();
    set_exception(exception);
    return PYGEN_ERROR;
}

PySendResult throw_into(coroutine_object* self, const py::object& exception, PyObject** result) {
    stay_at_exit();
    switch (self->now) {
    case phase::delegating:
        if (is_generator_exit(exception))
            return exit_delegation(self, exception, result);
        return step_delegation(self, nullptr, exception.ptr(), result);
    case phase::running:
        if (is_generator_exit(exception))
            break;
        if (!is_driven_by_own_loop(self))
            break; // who throws could not be woken
        // Native code is asked to end; the exception goes on once it has.
        Py_XSETREF(own_extras(self).thrown, exception.inc_ref().ptr());
        ask_to_end(self);
        return self->now == phase::settled ? give_result(self, result) : yield_self(self, result);
    case phase::closed:
        return fail_used_up();
    case phase::created:
    case phase::settled:
        self->now = self->hot ? self->now : phase::closed;
        set_handled_as_context(exception.ptr());
        set_exception(exception);
        return PYGEN_ERROR;
    }
    detach(self);
    set_exception(exception);
    return PYGEN_ERROR;
}

// False with the Python error set: there is nothing to run it on.
bool find_scheduler(coroutine_object* self) {
    auto& op = *self->op;
    try {
        if (!op.has_scheduler())
            op.choose_own_scheduler();
        return true;
    } catch (...) {
        set_loop_error(self);
        self->now = phase::closed;
        return false;
    }
}

// The first step, here and now; false if it has to be taken elsewhere.
bool start_here(coroutine_object* self) {
    auto& op = *self->op;
    self->now = phase::running;
    op.set_driven_by_task(!self->hot);
    if (!op.on().may_start_here() || !op.take_for_start())
        return false;
    op.begin_inline();
    // Python code that could reach it meanwhile takes and gives references under the GIL only.
    const strand::counting references(op, !free_threaded && op.is_mine_alone());
    if (!run_inline(op, [&op] { op.start(); }))
        op.fail_to_start();
    return true;
}

// It announces itself through the port from its first step on; false with the Python error set.
bool start_there(coroutine_object* self) {
    auto& op = *self->op;
    if (!find_locals(self)) {
        self->now = phase::closed;
        op.set_object(nullptr);
        return false;
    }
    op.start_there();
    return true;
}

PySendResult start(coroutine_object* self, PyObject** result) {
    if (!find_scheduler(self))
        return PYGEN_ERROR;
    if (start_here(self))
        return go_on(self, result);
    return start_there(self) ? yield_self(self, result) : PYGEN_ERROR;
}

PySendResult step(coroutine_object* self, PyObject* value, PyObject** result) {
    switch (self->now) {
    case phase::created:
        return start(self, result);
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
    if (!find_scheduler(self))
        throw py::error_already_set();
    if (!start_here(self)) {
        if (!start_there(self))
            throw py::error_already_set();
        return;
    }
    const bool is_over = op.finished();
    if (is_over && !op.awaits_others()) {
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
    if (is_over)
        op.end_one();
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
    const auto exception = exception_from(arguments);
    return exception ? coroutine_raise(self, exception) : nullptr;
}

PyObject* coroutine_raise(PyObject* self, const py::object& exception) {
    const auto alive = py::reinterpret_borrow<py::object>(self);
    PyObject* result = nullptr;
    const auto outcome = throw_into(as_coroutine(self), exception, &result);
    return as_generator(outcome, result);
}

PyObject* coroutine_close(PyObject* object, PyObject*) {
    auto* self = as_coroutine(object);
    const auto alive = py::reinterpret_borrow<py::object>(object);
    if (self->now == phase::delegating) {
        PyObject* result = nullptr;
        const auto outcome = unwind(self, &result);
        Py_XDECREF(result);
        if (outcome == PYGEN_NEXT && self->now == phase::delegating) {
            PyErr_SetString(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
            return nullptr;
        }
        if (outcome == PYGEN_ERROR &&
            PyErr_ExceptionMatches(get_imports().cancelled_error.ptr()) == 0)
            return nullptr;
        PyErr_Clear();
    }
    if (self->now == phase::running)
        detach(self);
    self->now = phase::closed;
    Py_RETURN_NONE;
}

void on_crossing_ready(coroutine_object& self) noexcept {
    const object_lock alone(as_object(&self));
    auto& op = *self.op;
    if (op.finished()) {
        settle(&self);
    } else if (auto* delegator = op.take_delegation()) {
        if (self.callback == nullptr)
            return delegator->run_as_task(); // nobody is there to run it
        self.now = phase::delegating;
        own_extras(&self).delegator = delegator;
        delegator->set_runner(&self);
    }
    Py_INCREF(as_object(&self)); // until it is woken
    port_of(op.locals()).wake_after_drain(&self.waiter);
}

} // namespace bridge::detail
