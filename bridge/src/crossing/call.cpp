// SPDX-License-Identifier: Apache-2.0
#include <bridge/call.hpp>

#include <bridge/detail/steal_or_throw.hpp>

namespace bridge::detail {

py::object call_with_arguments(py::handle function, const py::tuple& arguments) {
    if (!function) {
        PyErr_SetString(PyExc_TypeError, "call: an empty py_ref cannot be called");
        throw py::error_already_set();
    }
    return steal_or_throw(
        call_python([&] { return PyObject_Call(function.ptr(), arguments.ptr(), nullptr); }));
}

void throw_argument_error(const std::string& type) {
    PyErr_Clear(); // what pybind11 may have said of it
    PyErr_Format(
        PyExc_TypeError,
        "call: an argument of C++ type '%s' does not convert to Python; bind the class, or "
        "include the header of its converter",
        type.c_str());
    throw py::error_already_set();
}

} // namespace bridge::detail
