// SPDX-License-Identifier: Apache-2.0
// Where in the order of native timers those of the Python loop are due.
#pragma once

#include <bridge/detail/python.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace bridge::detail {

/// The deadlines of a loop's timers, as one turn of it sees them. Both kinds of timers go in one
/// order: an io_context runs nothing that belongs after one of these until that has run.
struct python_timers {
    using clock = std::chrono::steady_clock;

    static constexpr std::size_t most_at_once = 256;

    std::vector<double> deadlines; ///< those due and the next ones, ascending; asyncio's seconds
    bool stopped = false; ///< the last poll of an io_context has left what comes after one of them:
    double passed = 0;    ///< that

    /// The first deadline, if it is one of this clock, which says `now`; else infinity. Requires
    /// the GIL.
    static double first_of(py::handle loop, py::handle heap_name, clock::time_point now) noexcept;

    /// Reads them out of the loop's heap, if one is due; else there are none. Requires the GIL.
    void read(py::handle loop, py::handle heap_name, clock::time_point now) noexcept;

    static clock::time_point time_of(double deadline) noexcept {
        return clock::time_point(
            std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(deadline)));
    }
};

} // namespace bridge::detail
