// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/context.hpp>

#include <bridge/detail/python_compat.hpp>

namespace bridge::detail {

context_scope::context_scope(const py::object& context) {
    if (current_context() == context.ptr())
        return;
    auto entering = context;
    if (PyContext_Enter(entering.ptr()) < 0) {
        PyErr_Clear();
        entering = py::reinterpret_steal<py::object>(PyContext_Copy(context.ptr()));
        if (!entering || PyContext_Enter(entering.ptr()) < 0)
            throw py::error_already_set();
    }
    entered_ = entering.release().ptr();
}

context_scope::~context_scope() {
    if (entered_ == nullptr)
        return;
    const py::error_scope keep_set_error;
    if (PyContext_Exit(entered_) < 0)
        PyErr_WriteUnraisable(entered_);
    Py_DECREF(entered_);
}

} // namespace bridge::detail
