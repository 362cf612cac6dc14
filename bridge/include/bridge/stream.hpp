// SPDX-License-Identifier: Apache-2.0
// A Python async iterable as a stream that C++ consumes.
#pragma once

#include <bridge/detail/stream_state.hpp>
#include <bridge/runtime.hpp>
#include <bridge/task_locals.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace bridge {

struct stream_options {
    /// How many items are made before they are asked for. 0: none, as with `async for`, and each
    /// one costs a turn of the loop. When half of them are taken the next ones are made.
    std::size_t buffer = 0;
};

/// Items of a Python async iterator, in their order, for one consumer. A Task of its own in the
/// loop of the locals runs the iterator: one step at a time, in one context. Moved and destroyed on
/// any thread without the GIL.
/// `while (auto item = co_await items.next()) use(*item);`
template<class T>
class stream {
public:
    stream(stream&&) noexcept = default;

    stream& operator=(stream&& other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }

    /// Closes the iterator, which is not waited for; the end of the crossing whose coroutine did it
    /// is. What closing raises goes to the loop's exception handler, and so does an error of the
    /// iterator that nobody has seen.
    ~stream() {
        if (state_)
            state_->drop();
    }

    /// The next item, or nothing when there are no more.
    /// Resumes: on the awaiting coroutine's own executor.
    /// GIL: not needed, on any thread; never held when resumed.
    /// Cancel: ends the waiting only; the item that was waited for is the next one.
    /// Throws: once, what ended the iterator: python_error, also for what cannot be iterated or
    /// converted; python_cancelled where its Task was cancelled; loop_closed. std::logic_error
    /// where another next() is pending.
    boost::asio::awaitable<std::optional<T>> next() { return next_of(checked()); }

    /// Ends the iterator: cancels the step that it is in, awaits its aclose(), if it has one, and
    /// drops what was read ahead. A pending next() gives nothing, and so does each one from now on.
    /// Resumes: as next().
    /// GIL: as next().
    /// Cancel: ends the waiting only; the iterator is closed all the same.
    /// Throws: what the iterator's clean-up raised, as python_error; asio::error::timed_out where
    /// it is not over by the deadline, with the line where it waits (it goes on); loop_closed.
    boost::asio::awaitable<void> close(std::chrono::milliseconds deadline = default_deadline) {
        return close_of(checked(), deadline);
    }

    /// Calls f for each item and awaits what that returns, if it is an awaitable; then, also where
    /// f throws or this is cancelled, closes the iterator.
    /// Resumes: as next().
    /// GIL: as next(); f is called without it.
    /// Cancel: f is cancelled or the waiting ended; then the iterator is closed.
    /// Throws: what f, next() and close() throw.
    template<std::invocable<T> F>
    boost::asio::awaitable<void> for_each(F f) {
        return for_each_of(checked(), std::move(f));
    }

    static constexpr std::chrono::milliseconds default_deadline = std::chrono::seconds(10);

private:
    using state = detail::stream_state_of<T>;
    using state_pointer = detail::intrusive_ptr<state>;

    template<class U>
    friend stream<U> to_cpp_stream(task_locals locals, py_ref iterable, stream_options options);

    explicit stream(state_pointer of) noexcept : state_(std::move(of)) {}

    const state_pointer& checked() const {
        if (!state_)
            throw std::logic_error("stream: this one was moved from");
        return state_;
    }

    static boost::asio::awaitable<std::optional<T>> next_of(state_pointer of) {
        const auto turn = of->take_asking_turn();
        while (!of->is_closing()) {
            const bool has_ended = of->has_ended();
            if (auto item = of->take())
                co_return item;
            if (has_ended) {
                of->rethrow_error();
                break;
            }
            of->check_loop();
            auto wait = of->wait_for_item();
            co_await detail::suspend_to(wait);
            wait.rethrow();
            // A request that came with the item, as from `||`: that is the next one's.
            const auto asked = co_await boost::asio::this_coro::cancellation_state;
            if (asked.cancelled() != boost::asio::cancellation_type::none)
                throw boost::system::system_error(boost::asio::error::operation_aborted);
        }
        co_return std::nullopt;
    }

    static boost::asio::awaitable<void> close_of(state_pointer of,
                                                 std::chrono::milliseconds deadline) {
        const auto turn = of->take_closing_turn();
        of->ask_to_close(std::max(deadline, std::chrono::milliseconds(0)));
        while (!of->is_closed()) {
            of->check_loop();
            auto wait = of->wait_for_end();
            co_await detail::suspend_to(wait);
            wait.rethrow();
        }
        of->rethrow_close_error();
    }

    template<class F>
    static boost::asio::awaitable<void> for_each_of(state_pointer of, F f) {
        std::exception_ptr error;
        try {
            while (auto item = co_await next_of(of))
                if constexpr (std::is_void_v<std::invoke_result_t<F&, T>>)
                    f(std::move(*item));
                else
                    co_await f(std::move(*item));
        } catch (...) {
            error = std::current_exception();
        }
        if (!error)
            co_return co_await close_of(of, default_deadline);
        // A request was seen: closing may wait, until the next one.
        const auto asked = co_await boost::asio::this_coro::cancellation_state;
        if (asked.cancelled() != boost::asio::cancellation_type::none)
            co_await boost::asio::this_coro::reset_cancellation_state();
        try {
            co_await close_of(of, default_deadline);
        } catch (...) {
            // The first error is the news.
        }
        std::rethrow_exception(error);
    }

    state_pointer state_;
};

/// The items of a Python async iterable (an async generator, any object with __aiter__), each
/// converted to T on the loop's thread; the iterable is the stream's own from now on. The iterable
/// is looked at when the first item is wanted, with a buffer at once: what is wrong with it, the
/// first next() throws.
/// GIL: not needed, on any thread.
/// Throws: std::bad_alloc for a buffer that is too large.
template<class T = py_ref>
stream<T> to_cpp_stream(task_locals locals, py_ref iterable, stream_options options = {}) {
    auto made = detail::intrusive_ptr<detail::stream_state_of<T>>::adopt(
        new detail::stream_state_of<T>(std::move(locals), std::move(iterable), options.buffer));
    made->begin();
    return stream<T>(std::move(made));
}

/// The same in the loop and context of current_locals().
/// Throws: no_event_loop as well.
template<class T = py_ref>
stream<T> to_cpp_stream(py_ref iterable, stream_options options = {}) {
    return to_cpp_stream<T>(current_locals(), std::move(iterable), options);
}

} // namespace bridge
