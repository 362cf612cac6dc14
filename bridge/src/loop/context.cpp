// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/context.hpp>

#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/python_mutex.hpp>

namespace bridge::detail {
namespace {

// A thread that runs no loop leaves it to the loop's.
[[maybe_unused]] bool runs_no_loop() { // with a GIL nobody asks
    const auto running = py::reinterpret_steal<py::object>(
        PyObject_CallNoArgs(get_imports().get_running_loop.ptr()));
    PyErr_Clear();
    return !running || running.is_none();
}

} // namespace

context_scope::context_scope(const py::object& context, std::atomic_flag* inside) {
    if (current_context() == context.ptr())
        return;
    bool taken = false;
    if constexpr (free_threaded) {
        if (inside == nullptr)
            taken = runs_no_loop();
        else if (!(taken = inside->test_and_set(std::memory_order_acquire)))
            inside_.reset(inside);
    }
    auto entering = context;
    if (taken || PyContext_Enter(entering.ptr()) < 0) {
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
