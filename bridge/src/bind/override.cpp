// SPDX-License-Identifier: Apache-2.0
#include <bridge/override.hpp>

#include "python/imports.hpp"

namespace bridge::detail {

bool is_python_method(const py::function& found) {
    const auto* function =
        PyMethod_Check(found.ptr()) != 0 ? PyMethod_GET_FUNCTION(found.ptr()) : found.ptr();
    return Py_TYPE(function) != get_imports().function_type;
}

void throw_not_overridden(const std::string& type, const char* name) {
    PyErr_Format(PyExc_NotImplementedError,
                 "%s::%s is a pure virtual coroutine; define `async def %s` in the Python class",
                 type.c_str(), name, name);
    throw py::error_already_set();
}

void throw_no_function(const std::string& type, const char* name) {
    PyErr_Format(PyExc_TypeError,
                 "%s::%s is a virtual coroutine, but the Python class has something else than a "
                 "function there; define `async def %s`",
                 type.c_str(), name, name);
    throw py::error_already_set();
}

} // namespace bridge::detail
