// SPDX-License-Identifier: Apache-2.0
// What CPython's functions return, as an object or as the exception that they have set.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// Takes over a new reference. Requires the GIL. Throws py::error_already_set if it is null.
inline py::object steal_or_throw(PyObject* reference) {
    if (reference == nullptr)
        throw py::error_already_set();
    return py::reinterpret_steal<py::object>(reference);
}

} // namespace bridge::detail
