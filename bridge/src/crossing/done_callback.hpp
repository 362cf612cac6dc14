// SPDX-License-Identifier: Apache-2.0
// Calling what a Task has left with the future that it waits for.
#pragma once

#include <bridge/detail/python.hpp>

#include <optional>

namespace bridge::detail {

/// Lets the loop call it with the future, in the context. False with the error set. GIL held.
bool call_soon(py::handle loop, PyObject* callback, PyObject* future, PyObject* context);

/// Calls it here. False with the error set; nothing if somebody runs in that context on this
/// thread, so that it has to be called in the loop's turn. GIL held.
std::optional<bool> call_now(PyObject* callback, PyObject* future, PyObject* context);

} // namespace bridge::detail
