// SPDX-License-Identifier: Apache-2.0
// Taking what a Task leaves with the future that it waits for, and calling it.
#pragma once

#include <bridge/detail/python.hpp>

#include <optional>

namespace bridge::detail {

/// A method with keywords, as add_done_callback() is one, for Python's table.
inline PyCFunction keywords(PyObject* (*function)(PyObject*, PyObject*, PyObject*)) noexcept {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

/// Lets the loop call it with the future, in the context. False with the error set. GIL held.
bool call_soon(py::handle loop, PyObject* callback, PyObject* future, PyObject* context);

/// Calls it here. False with the error set; nothing if somebody runs in that context on this
/// thread, so that it has to be called in the loop's turn. GIL held.
std::optional<bool> call_now(PyObject* callback, PyObject* future, PyObject* context);

} // namespace bridge::detail
