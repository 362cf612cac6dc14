// SPDX-License-Identifier: Apache-2.0
#include "crossing/done_callback.hpp"

#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>

namespace bridge::detail {

bool call_soon(py::handle loop, PyObject* callback, PyObject* future, PyObject* context) {
    PyObject* arguments[] = {loop.ptr(), callback, future, context};
    const auto& all = get_imports();
    const auto handle = py::reinterpret_steal<py::object>(call_python([&] {
        return PyObject_VectorcallMethod(all.name.call_soon.ptr(), arguments, 3,
                                         all.context_keyword.ptr());
    }));
    return static_cast<bool>(handle);
}

std::optional<bool> call_now(PyObject* callback, PyObject* future, PyObject* context) {
    if (PyContext_Enter(context) < 0) {
        PyErr_Clear();
        return {};
    }
    const auto outcome = py::reinterpret_steal<py::object>(
        call_python([&] { return PyObject_CallOneArg(callback, future); }));
    PyContext_Exit(context);
    return static_cast<bool>(outcome);
}

} // namespace bridge::detail
