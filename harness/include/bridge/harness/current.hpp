// SPDX-License-Identifier: Apache-2.0
// The test that runs here.
#pragma once

#include <chrono>
#include <string_view>

namespace bridge::harness {

/// A running test, as its own code may see it. Valid as long as the program.
struct current_test {
    std::string_view id;
    std::string_view suite;
    std::string_view name;
    std::chrono::milliseconds timeout;
};

/// The test that this handler works for; on a thread that works for none the only one that runs.
/// GIL: not needed, on any thread.
/// Throws: std::logic_error if no test runs.
current_test current();

} // namespace bridge::harness
