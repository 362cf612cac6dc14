// SPDX-License-Identifier: Apache-2.0
// What bridge::harness uses of the inside of bridge: all of it.
#pragma once

#include <bridge/detail/frame.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/detail/python_source.hpp>
#include <bridge/detail/report.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/detail/wait_watcher.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
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

/// The system's number of the thread that holds the GIL; zero if nobody does, or it is not known.
/// Any thread, without the GIL: by the time it is told, another one may hold it.
int gil_holder() noexcept;

/// Where the coroutine last waited whose handler runs here; nothing if none does.
/// Async-signal-safe.
code_place place_of_this_thread() noexcept;

/// The slot of the coroutine whose handler runs here; null if none does. Async-signal-safe.
const void* slot_of_this_thread() noexcept;

/// Whether a thread of the default runtime takes what is posted to it within that time, or there is
/// no default runtime. Without the GIL.
bool default_runtime_answers(std::chrono::milliseconds within);

/// What Python awaits, while its coroutine runs; empty otherwise.
class body_handle {
public:
    body_handle() = default;

    /// Of the coroutine whose handler runs here.
    static body_handle current() noexcept;

    /// Emits its cancellation signal, in its turn. Any thread.
    void request_cancel() const noexcept;

    /// Whether anybody has asked it to stop. Any thread.
    bool has_request() const noexcept;

    /// Whether it has seen nothing yet of a request to stop. As its handler.
    bool request_is_unseen() const noexcept;

private:
    explicit body_handle(strand* on) noexcept : strand_(on) {}

    intrusive_ptr<strand> strand_;
};

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
