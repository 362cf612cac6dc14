// SPDX-License-Identifier: Apache-2.0
// What CPython does with its own coroutines in await, send and throw, for ours. Requires the GIL.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// The TypeError for what `await` does not take.
void set_not_awaitable(PyObject* object) noexcept;

/// The iterator behind an awaitable, as `await` finds it; null with the error set.
PyObject* iterator_of(PyObject* awaitable);

/// Throws the exception into an iterator: what it then yields, returns, or null with the error set.
PyObject* call_throw(PyObject* inner, PyObject* exception, PySendResult& outcome);

/// The exception that throw(type[, value[, traceback]]) means; null with the error set.
py::object exception_from(PyObject* arguments);

/// Whether it is what close() throws.
inline bool is_generator_exit(const py::object& exception) noexcept {
    return PyErr_GivenExceptionMatches(exception.ptr(), PyExc_GeneratorExit) != 0;
}

/// What tp_iternext and send() return for an outcome: StopIteration carries the value.
PyObject* as_generator(PySendResult outcome, PyObject* result);

} // namespace bridge::detail
