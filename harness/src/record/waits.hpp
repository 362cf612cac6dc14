// SPDX-License-Identifier: Apache-2.0
// Where the C++ coroutines of tests wait. Without locks or an order of memory between them: they
// must not hide the races of what is tested.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bridge::detail {
class strand;
struct code_place;
} // namespace bridge::detail

namespace bridge::harness {

class running_test;

/// Who hears of each wait that a coroutine of a test begins. Any thread, in a handler of the
/// strand.
class wait_listener {
public:
    virtual void on_wait(bridge::detail::strand& on, const bridge::detail::code_place& where) = 0;

protected:
    ~wait_listener() = default;
};

/// An operation that a coroutine of a test waits for.
struct pending_wait {
    std::string function; ///< whose coroutine is the innermost of the user's
    std::string text;     ///< the chain of coroutines, each with its line
};

/// From now on they are known.
void note_waits() noexcept;

/// Those of coroutines that run on the test's executors. Any thread.
std::size_t count_waits(const running_test& run) noexcept;
std::vector<pending_wait> pending_waits(const running_test& run);

/// All of them, on the descriptor. Async-signal-safe.
void say_waits(int descriptor) noexcept;

} // namespace bridge::harness
