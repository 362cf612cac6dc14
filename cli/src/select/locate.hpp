// SPDX-License-Identifier: Apache-2.0
// From the paths of the command line to test binaries, by manifests if a folder is named.
#pragma once

#include <string>
#include <vector>

#include "base/test_case.hpp"

namespace bridge::cli {

/// Something that could not be asked for its tests, and why.
struct listing_problem {
    std::string binary;
    std::string message;
};

struct located {
    std::vector<binary_location> binaries;
    std::vector<listing_problem> problems;
    std::string folder; ///< of the first manifest that was used; empty if none was
};

/// Finds every binary once. No paths: the manifest of the current folder, ./build or ./build/*;
/// throws expected_error (no_tests, usage) when there is none, or more than one to choose from.
located locate(const std::vector<std::string>& paths);

} // namespace bridge::cli
