// SPDX-License-Identifier: Apache-2.0
// Running a coroutine for another loop or context, or on another executor.
#pragma once

#include <bridge/detail/choose_scheduler.hpp>
#include <bridge/detail/serial_spawn.hpp>
#include <bridge/runtime.hpp>
#include <bridge/task_locals.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace bridge {
namespace detail {

template<class T, class Executor>
boost::asio::awaitable<T> run_on(Executor on, boost::asio::awaitable<T> body) {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&,
                                       typename spawned<T>::signature>(
        serial_spawn<Executor>(std::move(on)), boost::asio::use_awaitable, std::move(body));
}

} // namespace detail

/// Runs the body with the given locals: what it awaits and calls in Python belongs to their loop
/// and context, and what it spawns on this_coro::executor inherits them. The body runs on a serial
/// executor of its own where the awaiting crossing runs, else where one with these locals would;
/// the awaiting coroutine resumes on its own executor.
/// GIL: not needed.
/// Cancel: passed to the body, whose end is awaited.
/// Throws: what the body throws.
template<class T>
boost::asio::awaitable<T> scope(task_locals locals, boost::asio::awaitable<T> body) {
    const auto* here = detail::strand::current();
    auto& where = here != nullptr ? here->on() : detail::scheduler_of(locals);
    auto on = detail::make_executor(where, std::move(locals));
    co_return co_await detail::run_on<T>(std::move(on), std::move(body));
}

/// Runs the body on the executor, which must be serial, as that of an object that several
/// coroutines share. The awaiting coroutine resumes on its own executor. As `co_await co_spawn(on,
/// body, use_awaitable)`, which in Boost 1.81 may crash if a request to stop meets the body's end.
/// GIL: not needed.
/// Cancel: passed to the body, in a turn of its executor; its end is awaited.
/// Throws: what the body throws.
template<class T>
boost::asio::awaitable<T> scope(boost::asio::any_io_executor on, boost::asio::awaitable<T> body) {
    return detail::run_on<T>(std::move(on), std::move(body));
}

} // namespace bridge
