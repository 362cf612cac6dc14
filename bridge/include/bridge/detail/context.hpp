// SPDX-License-Identifier: Apache-2.0
// Running Python in a contextvars context.
#pragma once

#include <bridge/detail/python.hpp>

#include <atomic>
#include <memory>

namespace bridge::detail {

/// Enters a context for a scope. If another thread is inside it (CPython lets in one at a time), a
/// copy: what is set there stays there. GIL held throughout. Throws what Python throws.
class context_scope {
public:
    /// `inside` is set while a scope is in the context, which nobody else enters; null for a
    /// context that others may enter, too. Only used without a GIL, where CPython lets in two
    /// threads.
    context_scope(const py::object& context, std::atomic_flag* inside);
    context_scope(const context_scope&) = delete;
    context_scope& operator=(const context_scope&) = delete;
    ~context_scope();

private:
    struct clear {
        void operator()(std::atomic_flag* flag) const noexcept {
            flag->clear(std::memory_order_release);
        }
    };

    std::unique_ptr<std::atomic_flag, clear> inside_;
    PyObject* entered_ = nullptr; // owned; null if this thread was inside already
};

} // namespace bridge::detail
