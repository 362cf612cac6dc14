// SPDX-License-Identifier: Apache-2.0
// Asks test binaries for their tests.
#pragma once

#include <functional>
#include <vector>

#include "children/supervisor.hpp"
#include "select/locate.hpp"

namespace bridge::cli {

struct options;

struct discovered {
    std::vector<test_binary> binaries; ///< in the order of their locations
    std::vector<listing_problem> problems;
};

/// Runs every binary with `--list --format json`, several at a time, within bounds of time and
/// size. A binary that does not answer is a problem; the others still count.
discovered discover(supervisor& processes, located from, const options& settings);

} // namespace bridge::cli
