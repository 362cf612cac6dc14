// SPDX-License-Identifier: Apache-2.0
// Life of the async generator that Python sees: making, hooks, collecting.
#include "crossing/generator_object.hpp"

#include "crossing/generator_protocol.hpp"
#include "crossing/traceback.hpp"
#include "python/imports.hpp"

#include <bridge/detail/attach.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/generator.hpp>

#include <structmember.h>

namespace bridge::detail {
namespace {

int generator_traverse(PyObject* object, visitproc visit, void* arg) {
    const auto* self = as_generator_object(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->round);
    Py_VISIT(self->finalizer);
    if (self->round != nullptr)
        Py_VISIT(op_of(self).kept().ptr());
    return 0;
}

int generator_clear(PyObject* object) {
    Py_CLEAR(as_generator_object(object)->finalizer);
    return 0;
}

bool is_suspended(const generator_object* self) {
    const auto& op = op_of(self);
    return op.has_begun() && (self->running || !op.is_over());
}

// The loop closes it, where it knows it; else its coroutine unwinds by itself.
void generator_finalize(PyObject* object) {
    auto* self = as_generator_object(object);
    if (self->round == nullptr || self->closed || !is_suspended(self))
        return;
    const py::error_scope keep_set_error;
    if (self->finalizer != nullptr) {
        const auto done =
            py::reinterpret_steal<py::object>(PyObject_CallOneArg(self->finalizer, object));
        if (!done)
            PyErr_WriteUnraisable(object);
        return;
    }
    self->closed = true;
    op_of(self).abandon();
}

void generator_dealloc(PyObject* object) {
    auto* self = as_generator_object(object);
    if (!finalize_before_dealloc(object))
        return;
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != nullptr)
        PyObject_ClearWeakRefs(object);
    Py_CLEAR(self->finalizer);
    Py_CLEAR(self->round);
    free_spare_step(self);
    auto* type = Py_TYPE(object);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

// As CPython's generators at their first step; the hooks are those of this thread.
bool tell_hooks(generator_object* self) {
    if (self->hooked.exchange(true))
        return true;
    const auto hooks = py::reinterpret_steal<py::object>(
        PyObject_CallNoArgs(get_imports().get_asyncgen_hooks.ptr()));
    if (!hooks)
        return false;
    auto* first = PyTuple_GetItem(hooks.ptr(), 0);
    auto* last = PyTuple_GetItem(hooks.ptr(), 1);
    if (last != Py_None)
        self->finalizer = Py_NewRef(last);
    if (first == Py_None)
        return true;
    return static_cast<bool>(py::reinterpret_steal<py::object>(
        PyObject_CallOneArg(first, reinterpret_cast<PyObject*>(self))));
}

PyObject* make_step(PyObject* object, step_kind kind, PyObject* argument) {
    auto* self = as_generator_object(object);
    return tell_hooks(self) ? new_step(self, kind, argument) : nullptr;
}

PyObject* next(PyObject* self) {
    return make_step(self, step_kind::next, Py_None);
}

PyObject* next_method(PyObject* self, PyObject*) {
    return next(self);
}

PyObject* asend(PyObject* self, PyObject* value) {
    return make_step(self, step_kind::next, value);
}

PyObject* athrow(PyObject* self, PyObject* arguments) {
    const auto exception = exception_from(arguments);
    return exception ? make_step(self, step_kind::raise, exception.ptr()) : nullptr;
}

PyObject* aclose(PyObject* self, PyObject*) {
    return make_step(self, step_kind::close, Py_None);
}

PyObject* generator_itself(PyObject* self) {
    return Py_NewRef(self);
}

PyObject* generator_itself_method(PyObject* self, PyObject*) {
    return Py_NewRef(self);
}

PyObject* generator_get_name(PyObject* self, void*) {
    return PyObject_GetAttrString(as_generator_object(self)->round, "__name__");
}

PyObject* generator_get_qualified_name(PyObject* self, void*) {
    return PyObject_GetAttrString(as_generator_object(self)->round, "__qualname__");
}

PyObject* generator_get_running(PyObject* self, void*) {
    return PyBool_FromLong(as_generator_object(self)->running);
}

PyObject* generator_get_suspended(PyObject* self, void*) {
    return PyBool_FromLong(is_suspended(as_generator_object(self)));
}

PyObject* generator_get_await(PyObject* self, void*) {
    return PyObject_GetAttrString(as_generator_object(self)->round, "cr_await");
}

// Where its coroutine waits, until that is over.
PyObject* generator_get_frame(PyObject* object, void*) {
    const auto& op = op_of(as_generator_object(object));
    const auto place = op.suspended_at();
    if (place.file == nullptr || (!as_generator_object(object)->running && op.is_over()))
        Py_RETURN_NONE;
    try {
        return make_frame(place).release().ptr();
    } catch (py::error_already_set& error) {
        error.restore();
        return nullptr;
    }
}

PyObject* generator_get_none(PyObject*, void*) {
    Py_RETURN_NONE;
}

PyObject* generator_represent(PyObject* self) {
    return PyUnicode_FromFormat("<C++ async generator %U at %p>",
                                as_coroutine(as_generator_object(self)->round)->name, self);
}

PyMethodDef generator_methods[] = {
    {"__aiter__", generator_itself_method, METH_NOARGS, nullptr},
    {"__anext__", one_at_a_time<&next_method>, METH_NOARGS, nullptr},
    {"asend", one_at_a_time<&asend>, METH_O, "Gives the value to the co_yield; the next item."},
    {"athrow", one_at_a_time<&athrow>, METH_VARARGS, "Throws from the co_yield; the next item."},
    {"aclose", one_at_a_time<&aclose>, METH_NOARGS, "Ends it; awaits its clean-up."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef generator_getset[] = {
    {"__name__", generator_get_name, nullptr, nullptr, nullptr},
    {"__qualname__", generator_get_qualified_name, nullptr, nullptr, nullptr},
    {"ag_running", one_at_a_time<&generator_get_running>, nullptr, nullptr, nullptr},
    {"ag_suspended", one_at_a_time<&generator_get_suspended>, nullptr, nullptr, nullptr},
    {"ag_await", generator_get_await, nullptr, nullptr, nullptr},
    {"ag_frame", one_at_a_time<&generator_get_frame>, nullptr, nullptr, nullptr},
    {"cr_frame", one_at_a_time<&generator_get_frame>, nullptr, nullptr, nullptr},
    {"cr_await", generator_get_await, nullptr, nullptr, nullptr},
    {"ag_code", generator_get_none, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef generator_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, sizeof(PyObject), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot generator_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&generator_dealloc)},
    {Py_tp_finalize, reinterpret_cast<void*>(&generator_finalize)},
    {Py_tp_traverse, reinterpret_cast<void*>(&generator_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&generator_clear)},
    {Py_tp_repr, reinterpret_cast<void*>(&generator_represent)},
    {Py_am_aiter, reinterpret_cast<void*>(&generator_itself)},
    {Py_am_anext, reinterpret_cast<void*>(one_at_a_time<&next>)},
    {Py_tp_methods, generator_methods},
    {Py_tp_getset, generator_getset},
    {Py_tp_members, generator_members},
    {Py_tp_doc, const_cast<char*>("A C++ coroutine that yields.")},
    {0, nullptr},
};

PyType_Spec generator_spec = {
    "bridge.async_generator", sizeof(generator_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, generator_slots};

} // namespace

PyTypeObject* make_generator_type() {
    auto* type = PyType_FromSpec(&generator_spec);
    if (type == nullptr)
        throw py::error_already_set();
    return reinterpret_cast<PyTypeObject*>(type);
}

py::object make_generator(intrusive_ptr<generator_crossing> op, py::handle name) {
    require_gil("to_python");
    require_main_interpreter();
    const auto& all = get_imports();
    auto round = new_coroutine(all.coroutine_type, intrusive_ptr<crossing>(op.get()),
                               name ? name : py::handle(all.generator_name));
    as_coroutine(round.ptr())->now = phase::closed;
    auto* object = PyType_GenericAlloc(all.generator_type, 0);
    if (object == nullptr)
        throw py::error_already_set();
    as_generator_object(object)->round = round.release().ptr();
    return py::reinterpret_steal<py::object>(object);
}

} // namespace bridge::detail
