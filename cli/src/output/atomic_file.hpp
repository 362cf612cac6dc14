// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace bridge::cli {

/// Why a file at `path` could not be written; empty when it probably can.
std::string why_not_writable(const std::string& path);

/// Writes to a temporary file beside `path` (or what it links to) and renames it. Something that is
/// no regular file (a pipe, /dev/stdout) is written to directly. Throws std::system_error.
void write_file(const std::string& path, std::string_view content);

} // namespace bridge::cli
