// SPDX-License-Identifier: Apache-2.0
// A Python awaitable as a C++ one.
#pragma once

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/choose_scheduler.hpp>
#include <bridge/detail/serial_spawn.hpp>
#include <bridge/runtime.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace bridge {
namespace detail {

/// What a C++ coroutine will await. If a cancellation comes before that, nobody is to be warned.
class to_be_awaited {
public:
    explicit to_be_awaited(py_ref object) noexcept : object_(std::move(object)) {}

    to_be_awaited(to_be_awaited&&) noexcept = default;
    to_be_awaited& operator=(to_be_awaited&&) = delete;

    ~to_be_awaited() { release_unstarted(object_.release()); }

    py_ref take() noexcept { return std::move(object_); }

private:
    py_ref object_;
};

template<class T>
boost::asio::awaitable<T> await_python(task_locals locals, to_be_awaited object) {
    awaiting_of<T> operation(object.take(), std::move(locals));
    co_await suspend_to(operation);
    co_return operation.take();
}

template<class Token>
concept completion_token = !std::is_convertible_v<Token, py_ref>;

template<class Token>
inline constexpr bool is_use_awaitable =
    std::is_same_v<std::decay_t<Token>, boost::asio::use_awaitable_t<>>;

} // namespace detail

/// Awaits a Python awaitable (coroutine, Task, Future, object with __await__) in the loop of the
/// given locals; its result is converted on the loop thread.
/// Resumes: on the awaiting coroutine's own executor.
/// GIL: not needed; never held when resumed.
/// Cancel: the Python side is cancelled, and the coroutine resumes once that has ended.
/// Throws: python_error (a TypeError if the object cannot be awaited or the result converted),
/// python_cancelled (operation_aborted), loop_closed.
template<class T = py_ref>
boost::asio::awaitable<T> to_cpp(task_locals locals, py_ref object) {
    return detail::await_python<T>(std::move(locals), detail::to_be_awaited(std::move(object)));
}

/// The same in the loop of current_locals(). If the awaiting coroutine is itself what a Python
/// task awaits, that task runs the object: no second task, the same current_task().
template<class T = py_ref>
boost::asio::awaitable<T> to_cpp(py_ref object) {
    return detail::await_python<T>(task_locals(), detail::to_be_awaited(std::move(object)));
}

/// The same with any completion token of signature void(std::exception_ptr, T). It starts at once,
/// on the locals' loop if that is a same-thread one, else on the default runtime; the token's
/// handler runs on its associated executor.
template<class T = py_ref, class Token>
auto to_cpp(task_locals locals, py_ref object, Token&& token) {
    if constexpr (detail::is_use_awaitable<Token>) {
        return to_cpp<T>(std::move(locals), std::move(object));
    } else {
        detail::serial_spawn start(detail::make_executor(detail::scheduler_of(locals), locals));
        return boost::asio::async_initiate<Token, typename detail::spawned<T>::signature>(
            std::move(start), token, to_cpp<T>(std::move(locals), std::move(object)));
    }
}

/// The same in the loop of current_locals().
/// Throws: no_event_loop.
template<class T = py_ref, detail::completion_token Token>
auto to_cpp(py_ref object, Token&& token) {
    if constexpr (detail::is_use_awaitable<Token>)
        return to_cpp<T>(std::move(object));
    else
        return to_cpp<T>(current_locals(), std::move(object), std::forward<Token>(token));
}

} // namespace bridge
