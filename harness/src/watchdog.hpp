// SPDX-License-Identifier: Apache-2.0
// The last resort against a hang: a thread that needs neither the GIL nor memory to end the
// process with a verdict.
#pragma once

#include "output.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace bridge::harness {

inline constexpr int timed_out_exit = 124;

/// Ends the process with code 124 after the given time, unless it is destroyed before. What it says
/// then is prepared now.
class watchdog {
public:
    watchdog(std::chrono::milliseconds after, output::last_words words);
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog();

private:
    void wait(std::chrono::steady_clock::time_point deadline);

    const output::last_words words_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
    std::thread thread_;
};

} // namespace bridge::harness
