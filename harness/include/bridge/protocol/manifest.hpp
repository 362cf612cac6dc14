// SPDX-License-Identifier: Apache-2.0
// The list of a build folder's test binaries, written by CMake and read by bridge-test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <bridge/protocol/error.hpp>

namespace bridge::protocol {

inline constexpr std::string_view manifest_name = "bridge-test-manifest.json";

/// A test binary and how CTest would start it, so that both agree on every verdict.
struct manifest_binary {
    std::string path;
    std::vector<std::string> environment; ///< NAME=value
    std::string working_directory;        ///< empty: the caller's
    int timeout_ms = 0;                   ///< in place of each test's own; 0: its own
    std::vector<std::string> launcher{};  ///< a program and its arguments that start the binary
};

/// Reads {"bridge_manifest":1,"binaries":[...]} that lies in `folder`; an entry is a path or an
/// object with path, environment, working_directory, timeout_ms and launcher. If "build_folder"
/// tells that the build folder was another one when CMake wrote it, what is below that one is
/// looked for in the one that it has become.
/// Throws: protocol_error.
std::vector<manifest_binary> parse_manifest(std::string_view text, std::string_view folder = {});

} // namespace bridge::protocol
