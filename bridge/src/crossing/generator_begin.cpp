// SPDX-License-Identifier: Apache-2.0
// What it answers in each state is CPython's (Objects/genobject.c), text for text.
#include "crossing/generator_begin.hpp"

#include "python/imports.hpp"

#include <exception>

namespace bridge::detail {
namespace {

const char* running_text(step_kind kind) {
    switch (kind) {
    case step_kind::next:
        return "anext(): asynchronous generator is already running";
    case step_kind::raise:
        return "athrow(): asynchronous generator is already running";
    case step_kind::close:
        break;
    }
    return "aclose(): asynchronous generator is already running";
}

// As what the co_yield throws: a GeneratorExit is Asio's own word for that.
std::exception_ptr as_thrown(PyObject* exception) {
    const auto object = py::reinterpret_borrow<py::object>(exception);
    if (PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit) != 0 ||
        PyErr_GivenExceptionMatches(exception, get_imports().cancelled_error.ptr()) != 0)
        return std::make_exception_ptr(python_cancelled(python_error(object)));
    return std::make_exception_ptr(python_error(object));
}

// Throwing into the generator, or closing it, goes over what nobody took.
void drop_untaken(generator_object* of) {
    as_coroutine(of->round)->now = phase::closed;
    op_of(of).drop_item();
    forget_result(as_coroutine(of->round));
}

// It never begins: the C++ arguments go, and nothing of the body runs.
void end_unbegun(generator_object* of) {
    of->closed = true;
    op_of(of).forget_body();
    op_of(of).drop_kept();
}

bool send(generator_step* self) {
    try {
        op_of(self->of).send(self->argument);
        return true;
    } catch (py::error_already_set& error) {
        error.restore();
    } catch (...) {
        PyErr_Format(PyExc_TypeError,
                     "asend(): a '%.100s' does not convert to what the C++ generator takes",
                     Py_TYPE(self->argument)->tp_name);
    }
    return false;
}

begun begin_next(generator_step* self) {
    auto* of = self->of;
    auto& op = op_of(of);
    const bool is_kept = has_untaken(of);
    if (!is_kept && (of->closed || op.is_over())) { // first: what was abandoned runs on
        fail_step(self, PyExc_StopAsyncIteration, nullptr);
        return begun::failed;
    }
    if (self->argument != Py_None && (is_kept || op.has_item())) {
        fail_step(
            self, PyExc_RuntimeError,
            "asend(): a step that was cancelled has left its item, which has to be taken first: "
            "await __anext__()");
        return begun::failed;
    }
    if (is_kept)
        return begun::goes_on;
    if (self->argument != Py_None && !op.has_begun()) {
        fail_step(self, PyExc_TypeError,
                  "can't send non-None value to a just-started async generator");
        return begun::failed;
    }
    if (send(self))
        return begun::goes_on;
    self->now = step_phase::over;
    return begun::failed;
}

begun begin_raise(generator_step* self) {
    auto* of = self->of;
    auto& op = op_of(of);
    if (op.has_begun()) {
        op.throw_at_yield(as_thrown(self->argument));
        return begun::goes_on;
    }
    end_unbegun(of);
    self->now = step_phase::over;
    set_exception(py::reinterpret_borrow<py::object>(self->argument));
    return begun::failed;
}

begun begin_close(generator_step* self) {
    auto* of = self->of;
    auto& op = op_of(of);
    of->closed = true;
    if (!op.has_begun()) {
        end_unbegun(of);
        return begun::over;
    }
    op.close_at_yield(make_generator_exit());
    return begun::goes_on;
}

begun begin_claimed(generator_step* self) {
    auto* of = self->of;
    if (self->kind == step_kind::next)
        return begin_next(self);
    if (!of->closed)
        drop_untaken(of);
    if (op_of(of).is_over())
        return begun::over;
    if (of->closed) {
        fail_step(self, PyExc_StopAsyncIteration, nullptr);
        return begun::failed;
    }
    return self->kind == step_kind::raise ? begin_raise(self) : begin_close(self);
}

} // namespace

begun begin_step(generator_step* self) {
    auto* of = self->of;
    if (of->running.exchange(true)) {
        fail_step(self, PyExc_RuntimeError, running_text(self->kind));
        return begun::failed;
    }
    const auto outcome = begin_claimed(self);
    if (outcome != begun::goes_on)
        of->running = false;
    return outcome;
}

bool has_untaken(const generator_object* of) noexcept {
    return as_coroutine(of->round)->now == phase::settled;
}

PySendResult fail_step(generator_step* self, PyObject* type, const char* text) noexcept {
    self->now = step_phase::over;
    if (text != nullptr)
        PyErr_SetString(type, text);
    else
        PyErr_SetNone(type);
    return PYGEN_ERROR;
}

} // namespace bridge::detail
