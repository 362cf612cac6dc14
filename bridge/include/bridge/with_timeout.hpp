// SPDX-License-Identifier: Apache-2.0
// A time limit for what a coroutine awaits, which loses nothing that has arrived.
#pragma once

#include <bridge/detail/frame.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace bridge {
namespace detail {

template<class T>
using kept_value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// Of a type that can be made without a value, as co_spawn wants it.
template<class T>
boost::asio::awaitable<std::optional<kept_value<T>>> keep_value(boost::asio::awaitable<T> body,
                                                                chain_id caller) {
    const auto on = co_await boost::asio::this_coro::executor;
    const auto chain = co_await this_chain;
    const answering_for its(on, chain, caller); // it has no other operation
    if constexpr (std::is_void_v<T>) {
        co_await std::move(body);
        co_return std::monostate();
    } else {
        co_return co_await std::move(body);
    }
}

inline bool is_cancellation(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        return e.code() == boost::asio::error::operation_aborted ||
               e.code() == boost::asio::experimental::error::channel_cancelled;
    } catch (const boost::asio::multiple_exceptions& e) {
        return is_cancellation(e.first_exception());
    } catch (...) {
        return false;
    }
}

} // namespace detail

/// Awaits an operation for at most that long, as asyncio.wait_for does: after that the operation is
/// cancelled and its end awaited, and what it ends with all the same, a value or another error, is
/// what this ends with. So nothing that has arrived is lost, unlike with `operation || timer`,
/// which drops a value that comes after the timer. An operation that does not listen to a
/// cancellation takes as long as it takes.
/// Resumes: on the awaiting coroutine's own executor, which must be serial: those of crossings are.
/// GIL: not needed; never held when resumed.
/// Cancel: the operation is cancelled and its end awaited.
/// Throws: boost::asio::error::timed_out, in Python TimeoutError, if the time was up and the
/// operation ended by being cancelled; else what the operation throws.
/// `int n = co_await bridge::with_timeout(bridge::call<int>(get), 100ms);`
template<class T>
boost::asio::awaitable<T> with_timeout(boost::asio::awaitable<T> operation,
                                       std::chrono::steady_clock::duration timeout) {
    namespace asio = boost::asio;
    const auto on = co_await asio::this_coro::executor;
    asio::steady_timer timer(on, timeout);
    auto [order, error, value, timer_error] =
        co_await asio::experimental::make_parallel_group(
            asio::co_spawn(on,
                           detail::keep_value<T>(std::move(operation), co_await detail::this_chain),
                           asio::bind_executor(on, asio::deferred)),
            timer.async_wait(asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (error) {
        const bool time_was_up = order[0] == 1 && !timer_error;
        const auto state = co_await asio::this_coro::cancellation_state;
        const bool was_asked = state.cancelled() != asio::cancellation_type::none;
        if (time_was_up && !was_asked && detail::is_cancellation(error))
            throw boost::system::system_error(asio::error::timed_out, "with_timeout");
        std::rethrow_exception(error);
    }
    if constexpr (!std::is_void_v<T>)
        co_return std::move(*value);
}

} // namespace bridge
