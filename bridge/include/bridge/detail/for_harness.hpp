// SPDX-License-Identifier: Apache-2.0
// What bridge::harness uses of the inside of bridge: all of it.
#pragma once

#include <bridge/detail/frame.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/detail/python_source.hpp>
#include <bridge/detail/strand.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bridge::detail {

/// As to_python(), with a slot and a name of the caller's. Requires the GIL.
py::object to_python_with_slot(boost::asio::awaitable<void> body, void* slot, py::handle name);

/// Asks all native work of the loop to stop and calls `when_idle` in the loop once the last has
/// ended. How much there is; if there is none, nothing is called. Requires the GIL.
std::size_t cancel_native(const py::object& loop, py::object when_idle);

/// How much native work the loop has. Requires the GIL.
std::size_t count_native(const py::object& loop);

/// What native work the loop has, each with where it waits. Requires the GIL.
std::vector<std::string> describe_native(const py::object& loop);

/// The coroutines of the handler that runs here which this exception has left, or null.
inline std::unique_ptr<exception_trace> take_trace(const std::exception_ptr& exception) noexcept {
    auto* here = strand::current();
    return here != nullptr ? here->take_trace(exception) : nullptr;
}

/// A handler's turn on a thread that no runtime knows: with the locals and the slot of the
/// coroutine that makes it, in its first step.
class turn_elsewhere {
public:
    turn_elsewhere();

    /// Any thread, once, without the GIL.
    template<class F>
    void run(F&& f) {
        strand_->run_held(std::forward<F>(f));
        strand_->leave();
    }

private:
    intrusive_ptr<strand> strand_;
};

} // namespace bridge::detail
