// SPDX-License-Identifier: Apache-2.0
// C++ coroutines as frames of a Python traceback.
#pragma once

#include <bridge/detail/frame.hpp>
#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// The function's name as Python would show it.
const char* name_of(const code_place& place) noexcept;

/// A frame object that stands at the place. Requires the GIL. Throws what Python throws.
py::object make_frame(const code_place& place, bool has_begun = true);

/// Puts the coroutines of the trace before what the exception's traceback holds. Requires the GIL.
void add_traceback(const py::object& exception, const exception_trace& trace);

} // namespace bridge::detail
