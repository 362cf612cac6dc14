// SPDX-License-Identifier: Apache-2.0
// Python source that is part of the library.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// Runs the text as a module of that name and returns its names; `given` are there from the start.
/// Requires the GIL. Throws py::error_already_set.
py::dict run_embedded(const char* module_name, const char* file, const char* text,
                      py::dict given = {});

} // namespace bridge::detail
