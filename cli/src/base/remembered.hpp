// SPDX-License-Identifier: Apache-2.0
// What is known of a test from the last time it ran.
#pragma once

#include <chrono>

#include <bridge/protocol/outcome.hpp>

namespace bridge::cli {

struct remembered {
    protocol::outcome result = protocol::outcome::passed; ///< never not_run
    bool is_flaky = false;
    std::chrono::milliseconds duration{0};
};

} // namespace bridge::cli
