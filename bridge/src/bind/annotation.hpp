// SPDX-License-Identifier: Apache-2.0
// Types as Python objects.
#pragma once

#include <bridge/detail/signature.hpp>

namespace bridge::detail {

/// Turns pybind11's texts for types into what an annotation holds. Requires the GIL.
class annotation_reader {
public:
    explicit annotation_reader(const function_signature& signature);

    /// typing.Any if the text means nothing to Python, or a class is not bound (yet).
    py::object read(const type_text& type, bool is_result) const;

    /// The same of a parameter, which may be None, too.
    py::object read_optional(const type_text& type) const;

private:
    const function_signature& signature_;
    py::dict names_;
};

} // namespace bridge::detail
