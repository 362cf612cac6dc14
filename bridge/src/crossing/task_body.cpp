// SPDX-License-Identifier: Apache-2.0
#include "crossing/task_body.hpp"

#include "crossing/generator_protocol.hpp"
#include "python/exit.hpp"
#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/references.hpp>
#include <bridge/detail/steal_or_throw.hpp>

#include <utility>

namespace bridge::detail {
namespace {

PyObject* end_step(task_body* self, PySendResult outcome, PyObject* result) {
    stay_at_exit(); // whose end has abandoned it meanwhile
    self->ended = outcome != PYGEN_NEXT;
    if (self->ended && self->owner != nullptr)
        self->owner->on_last_step(outcome == PYGEN_RETURN ? result : nullptr);
    return result;
}

// It is not one if it only is told of the end, nor once the garbage collector has cleared it.
bool is_coroutine(const task_body* self) {
    if (self->coroutine == nullptr)
        PyErr_SetString(PyExc_RuntimeError, "bridge.task_body has no coroutine to run");
    return self->coroutine != nullptr;
}

PySendResult body_am_send(PyObject* object, PyObject* value, PyObject** result) {
    auto* self = as_task_body(object);
    *result = nullptr;
    if (!is_coroutine(self))
        return PYGEN_ERROR;
    self->begun = true;
    const auto outcome = call_python([&] { return PyIter_Send(self->coroutine, value, result); });
    end_step(self, outcome, *result);
    return outcome;
}

PyObject* body_send(PyObject* self, PyObject* value) {
    PyObject* result = nullptr;
    const auto outcome = body_am_send(self, value, &result);
    return as_generator(outcome, result);
}

PyObject* body_next(PyObject* self) {
    return body_send(self, Py_None);
}

PyObject* body_throw(PyObject* object, PyObject* arguments) {
    auto* self = as_task_body(object);
    const auto exception = exception_from(arguments);
    if (!exception || !is_coroutine(self))
        return nullptr;
    self->begun = true;
    PySendResult outcome = PYGEN_ERROR;
    auto* result =
        call_python([&] { return call_throw(self->coroutine, exception.ptr(), outcome); });
    return as_generator(outcome, end_step(self, outcome, result));
}

PyObject* body_close(PyObject* object, PyObject*) {
    auto* self = as_task_body(object);
    if (!is_coroutine(self))
        return nullptr;
    return call_python([self] {
        return PyObject_CallMethodNoArgs(self->coroutine, get_imports().name.close.ptr());
    });
}

PyObject* body_await(PyObject* self) {
    return Py_NewRef(self);
}

PyObject* body_done(PyObject* object, PyObject* task) {
    if (auto* owner = as_task_body(object)->owner)
        owner->on_done(task);
    Py_RETURN_NONE;
}

// To isinstance too: inspect.iscoroutine asks so.
PyObject* class_of_body(PyObject* object, void*) {
    return Py_NewRef(as_task_body(object)->coroutine != nullptr
                         ? reinterpret_cast<PyObject*>(&PyCoro_Type)
                         : reinterpret_cast<PyObject*>(Py_TYPE(object)));
}

// Whoever looks at the Task sees the coroutine.
PyObject* body_attribute(PyObject* object, PyObject* name) {
    auto* own = PyObject_GenericGetAttr(object, name);
    auto* coroutine = as_task_body(object)->coroutine;
    if (own != nullptr || coroutine == nullptr || PyErr_ExceptionMatches(PyExc_AttributeError) == 0)
        return own;
    PyErr_Clear();
    return PyObject_GetAttr(coroutine, name);
}

PyObject* represent_body(PyObject* object) {
    auto* coroutine = as_task_body(object)->coroutine;
    return coroutine != nullptr ? PyObject_Repr(coroutine)
                                : PyUnicode_FromFormat("<bridge.task_body at %p>", object);
}

int traverse_body(PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(as_task_body(object)->coroutine);
    return 0;
}

int clear_body(PyObject* object) {
    Py_CLEAR(as_task_body(object)->coroutine);
    return 0;
}

void free_body(PyObject* object) {
    PyObject_GC_UnTrack(object);
    if (auto* owner = std::exchange(as_task_body(object)->owner, nullptr))
        owner->on_body_gone();
    clear_body(object);
    auto* type = Py_TYPE(object);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

} // namespace

PyTypeObject* make_task_body_type() {
    static PyMethodDef methods[] = {
        {"send", &body_send, METH_O, nullptr},
        {"throw", &body_throw, METH_VARARGS, nullptr},
        {"close", &body_close, METH_NOARGS, nullptr},
        {nullptr, nullptr, 0, nullptr},
    };
    static PyGetSetDef getset[] = {
        {"__class__", &class_of_body, nullptr, nullptr, nullptr},
        {nullptr, nullptr, nullptr, nullptr, nullptr},
    };
    PyType_Slot slots[] = {
        {Py_tp_dealloc, reinterpret_cast<void*>(&free_body)},
        {Py_tp_traverse, reinterpret_cast<void*>(&traverse_body)},
        {Py_tp_clear, reinterpret_cast<void*>(&clear_body)},
        {Py_tp_getattro, reinterpret_cast<void*>(&body_attribute)},
        {Py_tp_repr, reinterpret_cast<void*>(&represent_body)},
        {Py_tp_iter, reinterpret_cast<void*>(&body_await)},
        {Py_tp_iternext, reinterpret_cast<void*>(&body_next)},
        {Py_am_await, reinterpret_cast<void*>(&body_await)},
        {Py_am_send, reinterpret_cast<void*>(&body_am_send)},
        {Py_tp_methods, methods},
        {Py_tp_getset, getset},
        {Py_tp_doc, const_cast<char*>("What a Task runs that C++ awaits.")},
        {0, nullptr},
    };
    PyType_Spec spec = {"bridge.task_body", sizeof(task_body), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        slots};
    auto* type = PyType_FromSpec(&spec);
    if (type == nullptr)
        throw py::error_already_set();
    return reinterpret_cast<PyTypeObject*>(type);
}

py::object new_task_body(PyObject* coroutine) {
    auto body = steal_or_throw(PyType_GenericAlloc(get_imports().task_body_type, 0));
    as_task_body(body.ptr())->coroutine = Py_XNewRef(coroutine);
    return body;
}

void silence_task(PyObject* task) noexcept {
    if (PyObject_SetAttrString(task, "_log_destroy_pending", Py_False) < 0)
        PyErr_Clear();
}

void silence_body(const task_body* body) noexcept {
    if (!body->begun && body->coroutine != nullptr)
        close_unstarted(body->coroutine, 2);
}

py::object new_done_callback(task_body* body) {
    static PyMethodDef method{"tell_cpp", &body_done, METH_O, nullptr};
    return py::reinterpret_steal<py::object>(PyCFunction_New(&method, as_object(body)));
}

} // namespace bridge::detail
