// SPDX-License-Identifier: Apache-2.0
// The test that ends if the process ends now, and what can still be told of it then.
#pragma once

#include "record/output.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace bridge::harness {

/// One at a time: while it is there, its test has not finished. What it tells with stays: a process
/// may end badly after its last test.
class unfinished_test {
public:
    /// What it will tell with is prepared now.
    unfinished_test(std::string id, const output& to);
    unfinished_test(const unfinished_test&) = delete;
    unfinished_test& operator=(const unfinished_test&) = delete;
    ~unfinished_test();

    /// Null between tests. Async-signal-safe.
    static const char* id() noexcept;

    /// Tells the runner, or who reads, how the process is about to end: all of the parts. After the
    /// test has finished only the runner is told. Nothing in forks. Async-signal-safe.
    static void tell_end(std::initializer_list<std::string_view> parts) noexcept;

    /// Asks the runner not to end the process before it has told that this is over.
    /// Async-signal-safe.
    static void tell_explaining(bool begins) noexcept;
};

} // namespace bridge::harness
