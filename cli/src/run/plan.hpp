// SPDX-License-Identifier: Apache-2.0
// How one test is to be run: what it says of itself under what the user says.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/remembered.hpp"
#include "base/test_case.hpp"

namespace bridge::cli {

struct options;

struct planned_test {
    test_case test;
    std::optional<std::chrono::milliseconds> timeout; ///< in place of the test's own
    unsigned retries = 0;
    std::string group;                                 ///< empty: none
    bool is_serial = false;                            ///< nothing else runs beside it
    unsigned slots = 1;                                ///< how many of --jobs it counts for
    std::optional<std::chrono::milliseconds> expected; ///< how long it took when it last ran

    std::chrono::milliseconds time() const { return timeout.value_or(test.info->timeout); }
};

/// A rule of the configuration file that fits outranks the file's profile and what the test says;
/// the command line and the environment outrank all.
planned_test make_plan(const test_case& test, const options& settings, const remembered* last);

} // namespace bridge::cli
