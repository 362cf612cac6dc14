// SPDX-License-Identifier: Apache-2.0
// Waiting for an awaitable from synchronous code.
#pragma once

#include <bridge/run.hpp>

#include <utility>

namespace bridge {
namespace detail {

/// GIL: required.
/// Throws: py::error_already_set.
py::object run_blocking(const py::object& awaitable);

/// Throws std::logic_error inside a C++ coroutine; not in a function that to_thread runs.
void require_no_coroutine();

} // namespace detail

/// Waits for the coroutine on this thread and returns its result, whether or not an event loop runs
/// here (as in a notebook). It runs as by run(), in a new event loop: on this thread if none runs,
/// else on a thread of its own, in a copy of the current contextvars context, while this thread and
/// its loop stand still.
/// GIL: taken; free while it waits.
/// Cancel: Ctrl-C on the main thread cancels it, inside a runner's loop too, and so does what
/// another signal handler raises; either comes out after its end, a second Ctrl-C at once.
/// Throws: what the coroutine throws; would_deadlock in the coroutine if it awaits Python in a loop
/// that stands still; std::logic_error inside a C++ coroutine, which co_awaits instead.
template<class T>
T blocking(boost::asio::awaitable<T> work) {
    detail::require_no_coroutine();
    return detail::run_with(std::move(work),
                            [](const py::object& coroutine) { detail::run_blocking(coroutine); });
}

/// The same for a Python awaitable. A Future or Task of a loop that runs on another thread is
/// waited for there; one that is done gives its result.
/// Throws: python_error: RuntimeError if it belongs to a loop that stands still meanwhile or is
/// closed before.
py_ref blocking(const py_ref& awaitable);

} // namespace bridge
