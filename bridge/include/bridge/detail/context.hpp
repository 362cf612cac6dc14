// SPDX-License-Identifier: Apache-2.0
// Running Python in a contextvars context.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// Enters a context for a scope. Where another thread is inside it (CPython lets in one at a time),
/// a copy: what is set there stays there. GIL held throughout. Throws what Python throws.
class context_scope {
public:
    explicit context_scope(const py::object& context);
    context_scope(const context_scope&) = delete;
    context_scope& operator=(const context_scope&) = delete;
    ~context_scope();

private:
    PyObject* entered_ = nullptr; // owned; null if this thread was inside already
};

} // namespace bridge::detail
