// SPDX-License-Identifier: Apache-2.0
// The line at the foot of a terminal while tests run.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace bridge::cli {

struct progress {
    std::size_t done = 0;
    std::size_t all = 0;
    std::size_t bad = 0;
    std::chrono::nanoseconds elapsed{0};
    std::vector<std::string> running; ///< the longest running first
};

/// `[#####-----] 12s left  4/8, 1 bad, running: a (3s), b (0s)`, at most this wide; narrow
/// terminals get the counts alone.
std::string progress_line(const progress& now, std::size_t columns);

/// How long the rest will take if it goes on like this, 0 while that is not known.
std::chrono::seconds time_left(const progress& now);

} // namespace bridge::cli
