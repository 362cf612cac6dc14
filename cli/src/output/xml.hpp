// SPDX-License-Identifier: Apache-2.0
// Text for XML 1.0 documents: well-formed whatever the bytes are.
#pragma once

#include <string>
#include <string_view>

namespace bridge::cli {

/// For the inside of an element: escapes mark-up, writes what XML forbids as `\xNN`.
std::string xml_text(std::string_view bytes);

/// For a value in double quotes: as xml_text, with line ends and tabs kept as references.
std::string xml_attribute(std::string_view bytes);

} // namespace bridge::cli
