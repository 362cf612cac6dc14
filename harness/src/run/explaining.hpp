// SPDX-License-Identifier: Apache-2.0
// The time that the harness takes to find out where everything is, which is no test's.
#pragma once

#include <bridge/detail/virtual_time.hpp>

namespace bridge::harness {

/// While one is there, watchdogs wait, and the runner is asked to. Async-signal-safe.
class explaining {
public:
    explaining() noexcept;
    explaining(const explaining&) = delete;
    explaining& operator=(const explaining&) = delete;
    ~explaining();

    /// How long there was one, by now. Any thread.
    static bridge::detail::real_clock::duration time() noexcept;
};

/// The process ends, and says why: nobody else is to end it, or to say so. For good.
void set_ending() noexcept;
bool is_ending() noexcept;

} // namespace bridge::harness
