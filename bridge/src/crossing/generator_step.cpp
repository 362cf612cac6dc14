// SPDX-License-Identifier: Apache-2.0
// One step of the async generator, awaited. What it answers in each state is CPython's
// (Objects/genobject.c), text for text.
#include "crossing/generator_begin.hpp"
#include "crossing/generator_object.hpp"
#include "crossing/generator_protocol.hpp"
#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>

namespace bridge::detail {
namespace {

// A generator has one step at a time, as a rule: its memory is the next one's.
#ifdef Py_GIL_DISABLED
constexpr bool keeps_spare_steps = false; // others may look at what is freed
#else
constexpr bool keeps_spare_steps = true;
#endif

// CPython warns of a step that was never awaited from 3.13 on.
#if PY_VERSION_HEX >= 0x030D0000
constexpr bool warns_of_unawaited = true;
#else
constexpr bool warns_of_unawaited = false;
#endif

const char* method_name(step_kind kind) {
    switch (kind) {
    case step_kind::next: // __anext__(), too
        return "asend";
    case step_kind::raise:
        return "athrow";
    case step_kind::close:
        break;
    }
    return "aclose";
}

void step_finalize(PyObject* object) {
    const auto* self = as_step(object);
    if (!warns_of_unawaited || self->now != step_phase::created)
        return;
    const py::error_scope kept;
    auto* of = reinterpret_cast<PyObject*>(self->of);
    auto* name = PyObject_GetAttrString(of, "__qualname__");
    if (name == nullptr ||
        PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine method '%s' of %R was never awaited",
                         method_name(self->kind), name) < 0)
        PyErr_WriteUnraisable(of);
    Py_XDECREF(name);
}

void step_dealloc(PyObject* object) {
    auto* self = as_step(object);
    const bool is_finalized = warns_of_unawaited && self->now == step_phase::created;
    if (is_finalized && !finalize_before_dealloc(object))
        return;
    PyObject_GC_UnTrack(object);
    Py_CLEAR(self->argument);
    auto* type = Py_TYPE(object);
    auto* of = std::exchange(self->of, nullptr);
    if (keeps_spare_steps && of->spare_step == nullptr && !is_finalized)
        of->spare_step = object;
    else
        PyObject_GC_Del(object);
    Py_DECREF(reinterpret_cast<PyObject*>(of)); // this may be its end, and the spare step's
    Py_DECREF(type);
}

// Memory for a step of the type, as PyType_GenericAlloc gives it but perhaps not all zero.
PyObject* allocate(generator_object* of) {
    auto* type = get_imports().step_type;
    auto* spare = std::exchange(of->spare_step, nullptr);
    if (spare == nullptr)
        return PyType_GenericAlloc(type, 0);
    PyObject_Init(spare, type);
    PyObject_GC_Track(spare);
    return spare;
}

int step_traverse(PyObject* object, visitproc visit, void* arg) {
    const auto* self = as_step(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->of);
    Py_VISIT(self->argument);
    return 0;
}

int step_clear(PyObject* object) {
    Py_CLEAR(as_step(object)->argument);
    return 0;
}

PyObject* step_itself(PyObject* self) {
    return Py_NewRef(self);
}

PySendResult give_none(generator_step* self, PyObject** result) {
    self->now = step_phase::over;
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

PySendResult fail_used_up(generator_step* self) {
    return fail_step(self, PyExc_RuntimeError,
                     self->kind == step_kind::next
                         ? "cannot reuse already awaited __anext__()/asend()"
                         : "cannot reuse already awaited aclose()/athrow()");
}

bool is_set(PyObject* type) {
    return PyErr_ExceptionMatches(type) != 0;
}

// What the round has yielded, or ended with.
PySendResult end(generator_step* self, PySendResult outcome, PyObject** result) {
    auto* of = self->of;
    of->running = false;
    self->now = step_phase::over;
    if (outcome == PYGEN_RETURN) {
        if (self->kind != step_kind::close)
            return outcome;
        Py_CLEAR(*result);
        op_of(of).abandon();
        return fail_step(self, PyExc_RuntimeError, "async generator ignored GeneratorExit");
    }
    const bool is_end = is_set(PyExc_StopAsyncIteration) || is_set(PyExc_GeneratorExit);
    if (is_end || op_of(of).is_over())
        of->closed = true;
    else if (self->kind == step_kind::close) // cancelled, and it has yielded once more
        op_of(of).abandon();
    if (self->kind != step_kind::close || !is_end)
        return outcome;
    PyErr_Clear();
    return give_none(self, result);
}

PySendResult advance(generator_step* self, PyObject* value, PyObject** result) {
    const auto outcome = one_at_a_time<&coroutine_am_send>(self->of->round, value, result);
    return outcome == PYGEN_NEXT ? outcome : end(self, outcome, result);
}

PySendResult step_am_send(PyObject* object, PyObject* value, PyObject** result) {
    const auto alive = py::reinterpret_borrow<py::object>(object);
    auto* self = as_step(object);
    const object_lock alone(reinterpret_cast<PyObject*>(self->of));
    *result = nullptr;
    switch (self->now) {
    case step_phase::over:
        return fail_used_up(self);
    case step_phase::running:
        return advance(self, value, result);
    case step_phase::created:
        break;
    }
    switch (begin_step(self)) {
    case begun::over:
        return give_none(self, result);
    case begun::failed:
        return PYGEN_ERROR;
    case begun::goes_on:
        break;
    }
    self->now = step_phase::running;
    if (!has_untaken(self->of))
        restart(as_coroutine(self->of->round));
    return advance(self, Py_None, result);
}

PyObject* step_send(PyObject* self, PyObject* value) {
    PyObject* result = nullptr;
    const auto outcome = step_am_send(self, value, &result);
    return as_generator(outcome, result);
}

PyObject* step_next(PyObject* self) {
    return step_send(self, Py_None);
}

// Whether the round has ended already, with what the next step is to give. That it was cancelled is
// this one's.
bool leaves_outcome(const generator_step* self) {
    const auto* round = as_coroutine(self->of->round);
    return self->kind != step_kind::close && round->now == phase::settled && !is_cancelled(round);
}

// Who awaits it is gone: what the generator waits for is cancelled, and it does not go on.
PyObject* give_up(generator_object* of) {
    of->running = false;
    of->closed = true;
    auto* closed = one_at_a_time<&coroutine_close>(of->round, nullptr);
    op_of(of).abandon();
    return closed;
}

// Whether native code runs and nobody will wait for it: who throws goes away, or could not be
// woken.
bool leaves_native_work(const generator_object* of, const py::object& exception) {
    const auto* round = as_coroutine(of->round);
    return round->now == phase::running &&
           (is_generator_exit(exception) || !is_driven_by_own_loop(round));
}

// True with the exception set: the step ends by it and the round has no part in it.
bool ends_beside_round(generator_step* self, const py::object& exception) {
    auto* of = self->of;
    const bool is_given_up = self->now == step_phase::running && leaves_native_work(of, exception);
    if (self->now == step_phase::running && !is_given_up && !leaves_outcome(self))
        return false;
    if (std::exchange(self->now, step_phase::over) == step_phase::running)
        of->running = false;
    if (is_given_up)
        Py_XDECREF(give_up(of));
    set_handled_as_context(exception.ptr());
    set_exception(exception);
    return true;
}

PyObject* step_throw(PyObject* object, PyObject* arguments) {
    const auto alive = py::reinterpret_borrow<py::object>(object);
    auto* self = as_step(object);
    const object_lock alone(reinterpret_cast<PyObject*>(self->of));
    if (self->now == step_phase::over) {
        fail_used_up(self);
        return nullptr;
    }
    const auto exception = exception_from(arguments);
    if (!exception || ends_beside_round(self, exception))
        return nullptr;
    auto* yielded = one_at_a_time<&coroutine_raise>(self->of->round, exception);
    if (yielded != nullptr)
        return yielded;
    PyObject* result = nullptr;
    auto outcome = PYGEN_ERROR;
    if (is_set(PyExc_StopIteration)) {
        const auto stop = take_set_exception();
        result = PyObject_GetAttrString(stop.ptr(), "value");
        outcome = PYGEN_RETURN;
    }
    outcome = end(self, outcome, &result);
    return as_generator(outcome, result);
}

PyObject* step_close(PyObject* object, PyObject*) {
    auto* self = as_step(object);
    const object_lock alone(reinterpret_cast<PyObject*>(self->of));
    if (std::exchange(self->now, step_phase::over) == step_phase::running)
        return give_up(self->of);
    Py_RETURN_NONE;
}

PyMethodDef step_methods[] = {
    {"send", step_send, METH_O, nullptr},
    {"throw", step_throw, METH_VARARGS, nullptr},
    {"close", step_close, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot step_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&step_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(&step_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&step_clear)},
    {Py_tp_finalize, reinterpret_cast<void*>(&step_finalize)},
    {Py_tp_iternext, reinterpret_cast<void*>(&step_next)},
    {Py_am_await, reinterpret_cast<void*>(&step_itself)},
    {Py_am_send, reinterpret_cast<void*>(&step_am_send)},
    {Py_tp_iter, reinterpret_cast<void*>(&step_itself)},
    {Py_tp_methods, step_methods},
    {0, nullptr},
};

PyType_Spec step_spec = {
    "bridge.async_generator_step", sizeof(generator_step), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, step_slots};

} // namespace

PyTypeObject* make_step_type() {
    auto* type = PyType_FromSpec(&step_spec);
    if (type == nullptr)
        throw py::error_already_set();
    return reinterpret_cast<PyTypeObject*>(type);
}

void free_spare_step(generator_object* of) noexcept {
    if (of->spare_step != nullptr)
        PyObject_GC_Del(std::exchange(of->spare_step, nullptr));
}

PyObject* new_step(generator_object* of, step_kind kind, PyObject* argument) {
    auto* object = allocate(of);
    if (object == nullptr)
        return nullptr;
    auto* self = as_step(object);
    self->of = of;
    Py_INCREF(reinterpret_cast<PyObject*>(of));
    self->argument = Py_NewRef(argument);
    self->kind = kind;
    self->now = step_phase::created;
    return object;
}

} // namespace bridge::detail
