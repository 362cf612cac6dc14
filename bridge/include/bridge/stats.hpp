// SPDX-License-Identifier: Apache-2.0
// Seeing in: what is under way between the two sides, and what crossing has cost.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bridge {

/// Of one event loop, since its first crossing.
struct loop_stats {
    bool same_thread = false;    ///< its crossings run in its own selector, not on a runtime
    std::size_t contexts = 0;    ///< io_contexts in that selector, one for each image that uses I/O
    std::size_t in_flight = 0;   ///< C++ coroutines that Python has started and that have to wait
    std::size_t queued = 0;      ///< messages of native threads that wait for the loop
    std::uint64_t delivered = 0; ///< messages that the loop has taken
    std::uint64_t wakes = 0;     ///< how often a native thread woke the loop for them
    std::uint64_t drains = 0;    ///< how often the loop took some
    std::chrono::nanoseconds drain_time{};    ///< in all of these, with what they woke
    std::chrono::nanoseconds longest_drain{}; ///< the loop did nothing else for so long

    /// 1 if each message costs a wake-up; the more that ride along, the less.
    double wakes_per_message() const noexcept {
        return delivered != 0 ? static_cast<double>(wakes) / static_cast<double>(delivered) : 0;
    }
};

struct bridge_stats {
    std::vector<loop_stats> loops; ///< those that are open and were crossed to
    std::size_t images = 0;        ///< programs and modules with the bridge in them, built alike
    bool default_runtime_runs = false; ///< of one of them at least; else no crossing has needed it
    std::uint64_t gil_takes = 0;       ///< how often a thread without the GIL took it, by with_gil
};

/// A snapshot, of all modules of the process that are built alike.
/// GIL: taken.
/// Throws: interpreter_gone.
bridge_stats stats();

} // namespace bridge
