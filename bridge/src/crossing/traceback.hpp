// SPDX-License-Identifier: Apache-2.0
// C++ coroutines as frames of a Python traceback.
#pragma once

#include <bridge/detail/frame.hpp>
#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// The function's name as Python would show it.
const char* name_of(const code_place& place) noexcept;

/// Puts the coroutines of the trace before what the exception's traceback holds. Requires the GIL.
void add_traceback(const py::object& exception, const exception_trace& trace);

} // namespace bridge::detail
