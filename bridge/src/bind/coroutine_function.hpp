// SPDX-License-Identifier: Apache-2.0
// The callable that def_async makes.
#pragma once

#include <bridge/def_async.hpp>

namespace bridge::detail {

struct coroutine_function {
    PyObject_HEAD PyObject* weakrefs;
    PyObject* bound;  ///< pybind11's builtin function, all overloads
    PyObject* module; ///< where it was defined
    PyObject* qualname;
    PyObject* keywords;            ///< the parameters' names, after `self`; may be empty
    PyObject* face;                ///< what those see who look at it; made when somebody does
    function_signature* signature; ///< owned; null for overloads
    bool is_method;
    function_kind kind;
    PyTypeObject* makes; ///< the type of what a call gives
    call_target direct;
    vectorcallfunc call;
};

inline coroutine_function* as_function(PyObject* object) noexcept {
    return reinterpret_cast<coroutine_function*>(object);
}

// coroutine_function_call.cpp: calling it
PyObject* call_coroutine_function(PyObject* self, PyObject* const* args, std::size_t flags,
                                  PyObject* keywords);

/// Sets the current C++ exception as the error, also in a sub-interpreter.
void set_current_exception() noexcept;

} // namespace bridge::detail
