// SPDX-License-Identifier: Apache-2.0
// Where failures go that nobody awaits.
#pragma once

#include <bridge/detail/python.hpp>

#include <exception>

namespace bridge::detail {

class strand;

/// Hands the error that is set in Python to the loop's exception handler, as asyncio does for a
/// failing callback. False if it is one that must end the loop's run (then it stays set).
/// Requires the GIL.
bool report_set_error(py::handle loop, const char* message) noexcept;

/// The same for an exception object. Requires the GIL.
void report_exception(py::handle loop, const char* message, const py::object& exception) noexcept;

/// The C++ exception that is being handed over as a Python one, while the loop's exception handler
/// is called with it on this thread; else null.
const std::exception_ptr* reported_error() noexcept;

/// As report_exception(), of a C++ exception. Requires the GIL.
void report_native_error(py::handle loop, const char* message,
                         const std::exception_ptr& error) noexcept;

/// A C++ exception that left a handler on a native thread: travels to the loop's exception handler
/// without the GIL; to stderr if there is no loop.
void report_escaped(const strand& from, std::exception_ptr error) noexcept;

} // namespace bridge::detail
