// SPDX-License-Identifier: Apache-2.0
// The callable that def_async makes: a coroutine function to everyone who asks.
#include <bridge/def_async.hpp>

#include "bind/face.hpp"
#include "crossing/coroutine.hpp"
#include "crossing/generator_object.hpp"
#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/steal_or_throw.hpp>

#include <structmember.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace bridge::detail {
namespace {

struct function_object {
    PyObject_HEAD PyObject* weakrefs;
    PyObject* bound;  ///< pybind11's builtin function, all overloads
    PyObject* module; ///< where it was defined
    PyObject* qualname;
    PyObject* keywords;            ///< the parameters' names, after `self`; may be empty
    PyObject* face;                ///< what those see who look at it; made when somebody does
    function_signature* signature; ///< owned; null for overloads
    bool is_method;
    function_kind kind;
    call_target direct;
    vectorcallfunc call;
};

function_object* as_function(PyObject* object) noexcept {
    return reinterpret_cast<function_object*>(object);
}

// What the coroutine may still use when the call has ended: the arguments, and the function with
// what it captures.
bool keep_arguments(crossing& of, PyObject* function, PyObject* const* args, Py_ssize_t count) {
    if (count == 0) {
        of.keep_alive(py_ref::steal(Py_NewRef(function)));
        return true;
    }
    auto* kept = PyTuple_New(count + 1);
    if (kept == nullptr)
        return false;
    PyTuple_SET_ITEM(kept, 0, Py_NewRef(function));
    for (Py_ssize_t i = 0; i < count; ++i)
        PyTuple_SET_ITEM(kept, i + 1, Py_NewRef(args[i]));
    of.keep_alive(py_ref::steal(kept));
    return true;
}

constexpr Py_ssize_t most_placed = 8;

// Where a keyword's parameter stands among all; -1 where the name is not one of them. Names of
// parameters and of keywords in source text are interned.
Py_ssize_t place_of(const function_object* function, PyObject* keyword) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(function->keywords); ++i)
        if (PyTuple_GET_ITEM(function->keywords, i) == keyword)
            return i + (function->is_method ? 1 : 0);
    return -1;
}

// The arguments by position, if keywords fill the places behind the positional ones without a
// gap: pybind11 would put them into a dictionary first. False: let it.
bool place_keywords(const function_object* function, PyObject* const* args, Py_ssize_t positional,
                    PyObject* keywords, PyObject** placed) {
    const auto named = PyTuple_GET_SIZE(keywords);
    if (positional + named > most_placed)
        return false;
    std::fill(placed, placed + positional + named, nullptr);
    std::copy(args, args + positional, placed);
    for (Py_ssize_t i = 0; i < named; ++i) {
        const auto place = place_of(function, PyTuple_GET_ITEM(keywords, i));
        if (place < positional || place >= positional + named || placed[place] != nullptr)
            return false;
        placed[place] = args[positional + i];
    }
    return true;
}

// Null without an error set if pybind11 has to be asked.
PyObject* call_direct(const function_object* function, PyObject* const* args, Py_ssize_t count) {
    const auto& direct = function->direct;
    return direct.call != nullptr && count == direct.parameters ? direct.call(direct.function, args)
                                                                : nullptr;
}

PyObject* call_bound(const function_object* function, PyObject* const* args, Py_ssize_t positional,
                     PyObject* keywords) {
    if (keywords == nullptr)
        if (auto* coroutine = call_direct(function, args, positional);
            coroutine != nullptr || PyErr_Occurred() != nullptr)
            return coroutine;
    return PyObject_Vectorcall(function->bound, args, static_cast<std::size_t>(positional),
                               keywords);
}

crossing* crossing_behind(PyObject* made) {
    const auto& all = get_imports();
    if (Py_TYPE(made) == all.coroutine_type)
        return as_coroutine(made)->op;
    return Py_TYPE(made) == all.generator_type ? &op_of(as_generator_object(made)) : nullptr;
}

PyObject* call(PyObject* self, PyObject* const* args, std::size_t flags, PyObject* keywords) {
    const auto* function = as_function(self);
    PyObject* placed[most_placed];
    const auto positional = PyVectorcall_NARGS(flags);
    const auto named = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
    auto* coroutine = named > 0 && place_keywords(function, args, positional, keywords, placed)
                          ? call_bound(function, placed, positional + named, nullptr)
                          : call_bound(function, args, positional, named > 0 ? keywords : nullptr);
    auto* op = coroutine != nullptr ? crossing_behind(coroutine) : nullptr;
    if (op == nullptr)
        return coroutine; // pybind11 said NotImplemented or an error
    if (!keep_arguments(*op, function->bound, args, positional + named))
        Py_CLEAR(coroutine);
    return coroutine;
}

PyObject* bind(PyObject* self, PyObject* object, PyObject*) {
    if (object == nullptr || object == Py_None)
        return Py_NewRef(self);
    return PyMethod_New(self, object);
}

// Nothing of ours works in a sub-interpreter, nor pybind11's exception of an error that is set.
bool is_main_interpreter() noexcept {
    return PyInterpreterState_Get() == PyInterpreterState_Main();
}

void set_current_exception() noexcept {
    if (is_main_interpreter())
        return set_exception(to_python_exception(std::current_exception()));
    try {
        throw;
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    } catch (...) {
        PyErr_SetString(PyExc_RuntimeError, "a C++ exception of unknown type");
    }
}

// Borrowed; null with the error set.
PyObject* face_of(PyObject* self) noexcept {
    auto* function = as_function(self);
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
    {"__weaklistoffset__", T_PYSSIZET, offsetof(function_object, weakrefs), READONLY, nullptr},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(function_object, call), READONLY, nullptr},
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

PyType_Spec function_spec = {"bridge.coroutine_function", sizeof(function_object), 0,
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

void set_call_error() noexcept {
    try {
        throw;
    } catch (const py::reference_cast_error&) {
        return; // no reference to nothing: pybind11 says which argument it was
    } catch (py::error_already_set& error) {
        error.restore();
    } catch (...) {
        set_current_exception();
    }
}

void throw_as_python() {
    if (!is_main_interpreter())
        throw;
    try {
        throw;
    } catch (const py::error_already_set&) {
        throw;
    } catch (...) {
        set_current_exception();
    }
    throw py::error_already_set();
}

void add_function(py::handle scope, const char* name, py::object bound, bool is_static,
                  function_kind kind, std::unique_ptr<function_signature> signature,
                  call_target direct) {
    auto keywords = keyword_names(signature.get());
    auto* object = PyType_GenericAlloc(get_imports().function_type, 0);
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
    as_function(object)->direct = direct;
    as_function(object)->call = &call;
    if (is_static)
        py::setattr(scope, name,
                    py::reinterpret_steal<py::object>(PyStaticMethod_New(function.ptr())));
    else
        py::setattr(scope, name, function);
}

} // namespace bridge::detail
