// SPDX-License-Identifier: Apache-2.0
// Exceptions as text.
#pragma once

#include <bridge/python_error.hpp>

#include <exception>
#include <string>

namespace bridge::harness {

/// "Type: text", whatever was thrown, and a line for each exception nested in it. Takes the GIL if
/// pybind11 holds the error.
std::string describe_error(const std::exception_ptr& error);

/// The same; a Python exception has its traceback behind that, another one where it was thrown.
/// Takes the GIL for one of Python.
std::string explain_error(const std::exception_ptr& error);

/// "Type: text", of an exception group with what is in it; then the traceback. Requires the GIL.
std::string explain_python_error(const python_error& error);

/// What the loop's exception handler is called with: if it was made of a C++ exception, that one is
/// explained. Requires the GIL.
std::string explain_reported_error(const python_error& error);

/// What helps beside the error's own text; empty for most. Takes the GIL for an error of Python.
std::string hint_for(const std::exception_ptr& error);

/// Whether it came from Python: python_error, python_cancelled, what pybind11 throws; and
/// operation_aborted, which Python knows as CancelledError. No GIL.
bool is_python_exception(const std::exception_ptr& error);

/// Whether it is the end that a cancelled coroutine has.
bool is_cancellation(const std::exception_ptr& error);

/// Whether Python made it of a C++ exception that no rule knows. Takes the GIL.
bool is_native_error(const std::exception_ptr& error);

} // namespace bridge::harness
