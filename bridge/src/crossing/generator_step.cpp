// SPDX-License-Identifier: Apache-2.0
// One step of the async generator, awaited. What it answers in each state is CPython's
// (Objects/genobject.c), text for text.
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

void dealloc(PyObject* object) {
    auto* self = as_step(object);
    PyObject_GC_UnTrack(object);
    Py_CLEAR(self->argument);
    auto* type = Py_TYPE(object);
    auto* of = std::exchange(self->of, nullptr);
    if (keeps_spare_steps && of->spare_step == nullptr)
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

int traverse(PyObject* object, visitproc visit, void* arg) {
    const auto* self = as_step(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->of);
    Py_VISIT(self->argument);
    return 0;
}

int clear(PyObject* object) {
    Py_CLEAR(as_step(object)->argument);
    return 0;
}

PyObject* itself(PyObject* self) {
    return Py_NewRef(self);
}

PySendResult fail(generator_step* self, PyObject* type, const char* text) {
    self->now = step_phase::over;
    if (text != nullptr)
        PyErr_SetString(type, text);
    else
        PyErr_SetNone(type);
    return PYGEN_ERROR;
}

PySendResult give_none(generator_step* self, PyObject** result) {
    self->now = step_phase::over;
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

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

PySendResult fail_used_up(generator_step* self) {
    return fail(self, PyExc_RuntimeError,
                self->kind == step_kind::next ? "cannot reuse already awaited __anext__()/asend()"
                                              : "cannot reuse already awaited aclose()/athrow()");
}

bool is_set(PyObject* type) {
    return PyErr_ExceptionMatches(type) != 0;
}

// As what the co_yield throws: a GeneratorExit is Asio's own word for that.
std::exception_ptr as_thrown(PyObject* exception) {
    const auto object = py::reinterpret_borrow<py::object>(exception);
    if (PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit) != 0 ||
        PyErr_GivenExceptionMatches(exception, get_imports().cancelled_error.ptr()) != 0)
        return std::make_exception_ptr(python_cancelled(python_error(object)));
    return std::make_exception_ptr(python_error(object));
}

// What a round has given belongs to the generator until a step has taken it: it stays in the round.
bool has_untaken(const generator_object* of) {
    return as_coroutine(of->round)->now == phase::settled;
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

enum class begun { goes_on, over, failed };

begun begin_next(generator_step* self) {
    auto* of = self->of;
    auto& op = op_of(of);
    const bool is_kept = has_untaken(of);
    if (!is_kept && (of->closed || op.is_over())) { // first: what was abandoned runs on
        fail(self, PyExc_StopAsyncIteration, nullptr);
        return begun::failed;
    }
    if (self->argument != Py_None && (is_kept || op.has_item())) {
        fail(self, PyExc_RuntimeError,
             "asend(): a step that was cancelled has left its item, which has to be taken first: "
             "await __anext__()");
        return begun::failed;
    }
    if (is_kept)
        return begun::goes_on;
    if (self->argument != Py_None && !op.has_begun()) {
        fail(self, PyExc_TypeError, "can't send non-None value to a just-started async generator");
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
        fail(self, PyExc_StopAsyncIteration, nullptr);
        return begun::failed;
    }
    return self->kind == step_kind::raise ? begin_raise(self) : begin_close(self);
}

// Of several threads that begin a step at once one claims the generator.
begun begin(generator_step* self) {
    auto* of = self->of;
    if (of->running.exchange(true)) {
        fail(self, PyExc_RuntimeError, running_text(self->kind));
        return begun::failed;
    }
    const auto outcome = begin_claimed(self);
    if (outcome != begun::goes_on)
        of->running = false;
    return outcome;
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
        return fail(self, PyExc_RuntimeError, "async generator ignored GeneratorExit");
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
    const auto outcome = coroutine_am_send(self->of->round, value, result);
    return outcome == PYGEN_NEXT ? outcome : end(self, outcome, result);
}

PySendResult step_am_send(PyObject* object, PyObject* value, PyObject** result) {
    const auto alive = py::reinterpret_borrow<py::object>(object);
    auto* self = as_step(object);
    *result = nullptr;
    switch (self->now) {
    case step_phase::over:
        return fail_used_up(self);
    case step_phase::running:
        return advance(self, value, result);
    case step_phase::created:
        break;
    }
    switch (begin(self)) {
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

bool is_generator_exit(const py::object& exception) {
    return PyErr_GivenExceptionMatches(exception.ptr(), PyExc_GeneratorExit) != 0;
}

// Who awaits it is gone: what the generator waits for is cancelled, and it does not go on.
PyObject* give_up(generator_object* of) {
    of->running = false;
    of->closed = true;
    auto* closed = coroutine_close(of->round, nullptr);
    op_of(of).abandon();
    return closed;
}

// True with the exception set: the step ends by it and the round has no part in it.
bool ends_beside_round(generator_step* self, const py::object& exception) {
    auto* of = self->of;
    const bool is_given_up = self->now == step_phase::running && is_generator_exit(exception) &&
                             as_coroutine(of->round)->now == phase::running;
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
    if (self->now == step_phase::over) {
        fail_used_up(self);
        return nullptr;
    }
    const auto exception = exception_from(arguments);
    if (!exception || ends_beside_round(self, exception))
        return nullptr;
    auto* yielded = coroutine_raise(self->of->round, exception);
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
    if (std::exchange(self->now, step_phase::over) == step_phase::running)
        return give_up(self->of);
    Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"send", step_send, METH_O, nullptr},
    {"throw", step_throw, METH_VARARGS, nullptr},
    {"close", step_close, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&clear)},
    {Py_tp_iternext, reinterpret_cast<void*>(&step_next)},
    {Py_am_await, reinterpret_cast<void*>(&itself)},
    {Py_am_send, reinterpret_cast<void*>(&step_am_send)},
    {Py_tp_iter, reinterpret_cast<void*>(&itself)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

PyType_Spec spec = {"bridge.async_generator_step", sizeof(generator_step), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                    slots};

} // namespace

PyTypeObject* make_step_type() {
    auto* type = PyType_FromSpec(&spec);
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
