// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// The class NativeError, of native_error.py. Requires the GIL. Throws py::error_already_set.
py::object make_native_error();

} // namespace bridge::detail
