// SPDX-License-Identifier: Apache-2.0
// Python's loop on this thread, around a C++ main coroutine.
#pragma once

#include <bridge/gil.hpp>
#include <bridge/to_python.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace bridge {

struct run_options {
    /// Makes the event loop; empty: asyncio.new_event_loop.
    py_ref loop_factory = {};
    bool debug = false; ///< asyncio's debug mode
    /// How long what is left may take at the end, all in all: tasks, native work, async generators
    /// and the default executor's threads. What takes longer is reported to the loop's exception
    /// handler and left behind.
    std::chrono::milliseconds deadline = std::chrono::seconds(5);
    /// Of the default runtime, which must not have begun; 0: as it is.
    unsigned threads = 0;
};

namespace detail {

/// Runs the coroutine object in a new loop, as run() says.
/// Throws: py::error_already_set.
py::object run_in_new_loop(const py::object& main, const run_options& options);

/// The same for loop.run_until_complete.
void run_loop_until(const py_ref& loop, const py::object& coroutine);

/// Whether what ended Python's run counts for more than what main made of it: KeyboardInterrupt,
/// SystemExit, and whatever has main cancelled on the way out.
/// GIL: taken.
bool outranks(const std::exception_ptr& ended_by, const std::exception_ptr& error);

/// The result of a C++ coroutine that Python runs, past Python: no conversion, the exception
/// itself. Shared with the coroutine, which is left behind if Python's run ends without it.
template<class T>
class outcome {
public:
    static boost::asio::awaitable<void> store(std::shared_ptr<outcome> into,
                                              boost::asio::awaitable<T> body) {
        try {
            if constexpr (std::is_void_v<T>) {
                co_await std::move(body);
                into->value_.emplace();
            } else {
                into->value_.emplace(co_await std::move(body));
            }
        } catch (...) {
            into->error_ = std::current_exception();
            into->ended_.store(true, std::memory_order_release);
            throw;
        }
        into->ended_.store(true, std::memory_order_release);
    }

    /// After Python's run; `ended_by` is what that threw, if it did.
    T take(const std::exception_ptr& ended_by) {
        const bool failed = ended_.load(std::memory_order_acquire) && error_ != nullptr;
        if (failed && !(ended_by && outranks(ended_by, error_)))
            std::rethrow_exception(error_);
        if (ended_by)
            std::rethrow_exception(ended_by);
        if constexpr (!std::is_void_v<T>)
            return std::move(*value_);
    }

private:
    using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    std::optional<value_type> value_;
    std::exception_ptr error_;
    std::atomic<bool> ended_ = false;
};

template<class T, class F>
T run_with(boost::asio::awaitable<T> body, F&& run_python) {
    const auto result = std::make_shared<outcome<T>>();
    std::exception_ptr ended_by;
    try {
        strand::run_outside([&] {
            with_gil([&] { run_python(to_python(outcome<T>::store(result, std::move(body)))); });
        });
    } catch (...) {
        ended_by = std::current_exception();
    }
    return result->take(ended_by);
}

} // namespace detail

/// Runs the coroutine in a new event loop on this thread until it has ended, and returns its
/// result. Then, as asyncio.run: cancels and awaits the tasks that are left, then native work
/// started in the loop, ends async generators, joins the default executor (until the deadline),
/// closes the loop. A coroutine that does not end in time is left behind, with what it refers to.
/// GIL: taken.
/// Cancel: Ctrl-C cancels it (on the main thread); a second one raises KeyboardInterrupt at once.
/// Throws: what the coroutine throws, as it threw it; python_error for KeyboardInterrupt and if
/// no loop can be run (one is running on this thread already, the factory fails or gives none);
/// std::logic_error for `threads` if the default runtime has begun.
template<class T>
T run(boost::asio::awaitable<T> main, const run_options& options = {}) {
    return detail::run_with(std::move(main), [&](const py::object& coroutine) {
        detail::run_in_new_loop(coroutine, options);
    });
}

/// Runs the coroutine in a loop of one's own, which stays open.
/// GIL: taken.
/// Throws: as run.
template<class T>
T run_until_complete(const py_ref& loop, boost::asio::awaitable<T> main) {
    return detail::run_with(std::move(main), [&](const py::object& coroutine) {
        detail::run_loop_until(loop, coroutine);
    });
}

/// Runs the loop until loop.stop() is called.
/// GIL: taken.
/// Throws: python_error.
void run_forever(const py_ref& loop);

} // namespace bridge
