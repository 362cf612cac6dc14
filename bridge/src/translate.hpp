// SPDX-License-Identifier: Apache-2.0
// C++ exceptions as Python exceptions, by the rules of docs/guides/errors.md.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// A Python function that throws the C++ exception being translated, so that pybind11's own
/// translators, registered by any module, see it.
py::object make_rethrow_function();

} // namespace bridge::detail
