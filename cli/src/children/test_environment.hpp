// SPDX-License-Identifier: Apache-2.0
// What a test process finds in its environment.
#pragma once

#include <string>
#include <vector>

#include "base/test_case.hpp"
#include "process/guardian.hpp"

namespace bridge::cli {

/// The binary's own settings, then BRIDGE_TEST, BRIDGE_TEST_RUN, BRIDGE_TEST_BINARY and, unless
/// `id` is empty (listing), BRIDGE_TEST_ID.
inline std::vector<std::string> test_environment(const binary_location& binary,
                                                 const std::string& id) {
    auto settings = binary.environment;
    settings.push_back("BRIDGE_TEST=1");
    settings.push_back(run_mark());
    settings.push_back("BRIDGE_TEST_BINARY=" + binary.path);
    if (!id.empty())
        settings.push_back("BRIDGE_TEST_ID=" + id);
    return settings;
}

} // namespace bridge::cli
