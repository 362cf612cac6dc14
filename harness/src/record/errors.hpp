// SPDX-License-Identifier: Apache-2.0
// Exceptions as text.
#pragma once

#include <exception>
#include <string>

namespace bridge::harness {

/// "Type: text" in one line, whatever was thrown. Takes the GIL if pybind11 holds the error.
std::string describe_error(const std::exception_ptr& error);

/// The same with a Python exception's traceback. Takes the GIL for one.
std::string explain_error(const std::exception_ptr& error);

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
