// SPDX-License-Identifier: Apache-2.0
// Running a coroutine for another loop or context.
#pragma once

#include <bridge/detail/choose_scheduler.hpp>
#include <bridge/runtime.hpp>
#include <bridge/task_locals.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace bridge {

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
    co_return co_await boost::asio::co_spawn(std::move(on), std::move(body),
                                             boost::asio::use_awaitable);
}

} // namespace bridge
