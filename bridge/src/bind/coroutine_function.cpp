// SPDX-License-Identifier: Apache-2.0
// The callable that def_async makes: a coroutine function to everyone who asks.
#include <bridge/def_async.hpp>

#include "bind/coroutine_function.hpp"
#include "bind/face.hpp"
#include "python/imports.hpp"

#include <bridge/detail/python_mutex.hpp>
#include <bridge/detail/steal_or_throw.hpp>

#include <structmember.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace bridge::detail {
namespace {

PyObject* bind(PyObject* self, PyObject* object, PyObject*) {
    if (object == nullptr || object == Py_None)
        return Py_NewRef(self);
    return PyMethod_New(self, object);
}

// Borrowed; null with the error set.
PyObject* face_of(PyObject* self) noexcept {
    auto* function = as_function(self);
    const object_lock alone(self); // one for all threads
    if (function->face != nullptr)
        return function->face;
    try {
        auto made =
            make_face({function->bound, function->module, function->qualname, function->signature,
                       function->is_method, function->kind == function_kind::generator});
        if (function->face == nullptr) // making it ran Python code
            function->face = made.release().ptr();
        return function->face;
    } catch (...) {
        set_current_exception();
        return nullptr;
    }
}

PyObject* face_attribute(PyObject* self, const char* name) {
    auto* face = face_of(self);
    return face != nullptr ? PyObject_GetAttrString(face, name) : nullptr;
}

// What is not of calling it is the face's.
PyObject* get_attribute(PyObject* self, PyObject* name) {
    auto* own = PyObject_GenericGetAttr(self, name);
    if (own != nullptr || PyErr_ExceptionMatches(PyExc_AttributeError) == 0)
        return own;
    PyErr_Clear();
    auto* face = face_of(self);
    return face != nullptr ? PyObject_GetAttr(face, name) : nullptr;
}

int set_attribute(PyObject* self, PyObject* name, PyObject* value) {
    auto* face = face_of(self);
    return face != nullptr ? PyObject_SetAttr(face, name, value) : -1;
}

// A function to isinstance, too: pydantic, unittest.mock and help() ask so.
PyObject* get_class(PyObject* self, void*) {
    return face_attribute(self, "__class__");
}

PyObject* get_doc(PyObject* self, void*) {
    return face_attribute(self, "__doc__");
}

PyObject* get_module(PyObject* self, void*) {
    return face_attribute(self, "__module__");
}

PyObject* get_annotations(PyObject* self, void*) {
    return face_attribute(self, "__annotations__");
}

PyObject* get_dict(PyObject* self, void*) {
    return face_attribute(self, "__dict__");
}

PyObject* get_mark(PyObject* self, void*) {
    if (as_function(self)->kind == function_kind::generator) {
        PyErr_SetString(PyExc_AttributeError, "_is_coroutine");
        return nullptr;
    }
    return Py_NewRef(get_imports().is_coroutine_mark.ptr());
}

PyObject* represent(PyObject* self) {
    auto* name = PyObject_GetAttrString(as_function(self)->bound, "__name__");
    auto* text = name != nullptr
                     ? PyUnicode_FromFormat("<C++ %s function %U>",
                                            as_function(self)->kind == function_kind::coroutine
                                                ? "coroutine"
                                                : "async generator",
                                            name)
                     : nullptr;
    Py_XDECREF(name);
    return text;
}

// What pybind11 has bound it keeps where the garbage collector does not see it.
int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_function(self)->face);
    return 0;
}

// No more than that: what is cleared may still be called.
int clear(PyObject* self) {
    Py_CLEAR(as_function(self)->face);
    return 0;
}

void dealloc(PyObject* self) {
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    auto* function = as_function(self);
    Py_CLEAR(function->face);
    Py_CLEAR(function->bound);
    Py_CLEAR(function->module);
    Py_CLEAR(function->qualname);
    Py_CLEAR(function->keywords);
    delete function->signature;
    auto* type = Py_TYPE(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

PyMemberDef function_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(coroutine_function, weakrefs), READONLY, nullptr},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(coroutine_function, call), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

// What a type has of its own, and would be found there.
PyGetSetDef function_getset[] = {
    {"__annotations__", get_annotations, nullptr, nullptr, nullptr},
    {"__class__", get_class, nullptr, nullptr, nullptr},
    {"__dict__", get_dict, nullptr, nullptr, nullptr},
    {"__doc__", get_doc, nullptr, nullptr, nullptr},
    {"__module__", get_module, nullptr, nullptr, nullptr},
    {"_is_coroutine", get_mark, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

// Copied and pickled by name, as any function.
PyObject* reduce(PyObject* self, PyObject*) {
    return Py_NewRef(as_function(self)->qualname);
}

PyMethodDef function_methods[] = {
    {"__reduce__", &reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot function_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&clear)},
    {Py_tp_call, reinterpret_cast<void*>(&PyVectorcall_Call)},
    {Py_tp_descr_get, reinterpret_cast<void*>(&bind)},
    {Py_tp_getattro, reinterpret_cast<void*>(&get_attribute)},
    {Py_tp_setattro, reinterpret_cast<void*>(&set_attribute)},
    {Py_tp_repr, reinterpret_cast<void*>(&represent)},
    {Py_tp_methods, function_methods},
    {Py_tp_members, function_members},
    {Py_tp_getset, function_getset},
    {0, nullptr},
};

PyType_Spec function_spec = {"bridge.coroutine_function", sizeof(coroutine_function), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                                 Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             function_slots};

bool is_function(py::handle object) {
    return Py_TYPE(object.ptr()) == get_imports().function_type;
}

py::object module_of(py::handle scope) {
    if (PyModule_Check(scope.ptr()) != 0)
        return scope.attr("__name__");
    return py::getattr(scope, "__module__", py::none());
}

py::object qualname_in(py::handle scope, const char* name) {
    if (!py::isinstance<py::type>(scope))
        return py::str(name);
    return py::str("{}.{}").format(scope.attr("__qualname__"), name);
}

// The names that the parameters may be given by, in their order; empty if it is not that simple.
py::tuple keyword_names(const function_signature* signature) {
    py::list names;
    if (signature == nullptr || signature->positional_until > 0 ||
        signature->keywords_from != function_signature::nowhere)
        return names;
    for (const auto& one : signature->named) {
        if (one.name.empty())
            return py::tuple();
        names.append(steal_or_throw(PyUnicode_InternFromString(one.name.c_str())));
    }
    return names;
}

} // namespace

PyTypeObject* make_function_type() {
    auto* type = PyType_FromSpec(&function_spec);
    if (type == nullptr)
        throw py::error_already_set();
    return reinterpret_cast<PyTypeObject*>(type);
}

py::object qualified_name(py::handle scope, const char* name) {
    const py::str own(name);
    if (!py::isinstance<py::type>(scope))
        return own;
    return py::str(scope.attr("__qualname__")) + py::str(".") + own;
}

py::object overloads_of(py::handle scope, const char* name) {
    py::object found = py::none();
    if (py::isinstance<py::type>(scope)) {
        // Not through the type's own look-up: that binds.
        const auto own = py::reinterpret_borrow<py::object>(
            PyDict_GetItemString(reinterpret_cast<PyTypeObject*>(scope.ptr())->tp_dict, name));
        if (own)
            found = PyObject_TypeCheck(own.ptr(), &PyStaticMethod_Type) != 0
                        ? py::object(own.attr("__func__"))
                        : own;
    } else {
        found = py::getattr(scope, name, py::none());
    }
    if (!found.is_none() && is_function(found))
        return py::reinterpret_borrow<py::object>(as_function(found.ptr())->bound);
    if (!found.is_none() && name[0] != '_') // a class may come with methods of such names
        throw std::runtime_error("def_async: '" + std::string(name) +
                                 "' is bound already, not by def_async; overloads of one name are "
                                 "all coroutine functions or none is");
    return py::none();
}

void add_function(py::handle scope, const char* name, py::object bound, bool is_static,
                  function_kind kind, std::unique_ptr<function_signature> signature,
                  call_target direct) {
    auto keywords = keyword_names(signature.get());
    const auto& all = get_imports();
    auto* object = PyType_GenericAlloc(all.function_type, 0);
    if (object == nullptr)
        throw py::error_already_set();
    const auto function = py::reinterpret_steal<py::object>(object);
    as_function(object)->bound = bound.release().ptr();
    as_function(object)->module = module_of(scope).release().ptr();
    as_function(object)->qualname = qualname_in(scope, name).release().ptr();
    as_function(object)->keywords = keywords.release().ptr();
    as_function(object)->is_method = !is_static && py::isinstance<py::type>(scope);
    as_function(object)->signature = signature.release();
    as_function(object)->kind = kind;
    as_function(object)->makes =
        kind == function_kind::coroutine ? all.coroutine_type : all.generator_type;
    as_function(object)->direct = direct;
    as_function(object)->call = &call_coroutine_function;
    if (is_static)
        py::setattr(scope, name,
                    py::reinterpret_steal<py::object>(PyStaticMethod_New(function.ptr())));
    else
        py::setattr(scope, name, function);
}

} // namespace bridge::detail
