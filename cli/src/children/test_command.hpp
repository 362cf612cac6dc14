// SPDX-License-Identifier: Apache-2.0
// How a test binary is started, and what it finds in its environment.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/test_case.hpp"
#include "process/guardian.hpp"
#include "process/process.hpp"

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

/// The binary with these arguments, by its launcher if it has one.
inline command test_command(const binary_location& binary, std::vector<std::string> arguments,
                            const std::string& id = {}) {
    if (!binary.launcher.empty()) {
        arguments.insert(arguments.begin(), binary.path);
        arguments.insert(arguments.begin(), binary.launcher.begin() + 1, binary.launcher.end());
    }
    return {binary.program(), std::move(arguments), test_environment(binary, id),
            binary.working_directory};
}

} // namespace bridge::cli
