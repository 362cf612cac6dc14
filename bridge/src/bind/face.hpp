// SPDX-License-Identifier: Apache-2.0
// The Python function that those see who look at a bound one.
#pragma once

#include <bridge/detail/signature.hpp>

namespace bridge::detail {

/// What it is made of, borrowed.
struct face_parts {
    py::handle bound; ///< pybind11's
    py::handle module;
    py::handle qualname;
    const function_signature* signature; ///< null for overloads
    bool has_self;
    bool yields; ///< an async generator function
};

/// An async Python function with the names, documentation, parameters, defaults and annotations of
/// a bound one. Nobody runs its body. Requires the GIL. Throws what Python throws.
py::object make_face(const face_parts& of);

} // namespace bridge::detail
