// SPDX-License-Identifier: Apache-2.0
// The completion token with which any Asio operation returns a Python awaitable.
#pragma once

#include <bridge/to_python.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace bridge {

/// A completion token, as asio::use_future is one: the operation starts at once and the initiating
/// function returns a py::object, hot as to_python_future makes it. An error_code arrives as its
/// OSError. GIL: required at the call; released while the operation starts. Cancel: the operation's
/// own cancellation, awaited. Throws: no_event_loop as RuntimeError.
/// `timer.async_wait(bridge::use_python_future)`
class use_python_future_t {
public:
    constexpr use_python_future_t() noexcept = default;

    /// The same in the loop of the given locals: `bridge::use_python_future(locals)`.
    use_python_future_t operator()(task_locals locals) const {
        use_python_future_t token;
        token.locals_ = std::move(locals);
        return token;
    }

    const task_locals& locals() const noexcept { return locals_; }

private:
    task_locals locals_;
};

inline const use_python_future_t use_python_future;

namespace detail {

// The initiation is the coroutine's own, so that it lives as long as the operation.
template<class Signature, class Initiation, class... Arguments>
auto run_operation(Initiation initiation, Arguments... arguments)
    -> decltype(boost::asio::async_initiate<boost::asio::use_awaitable_t<>, Signature>(
        std::move(initiation), std::declval<boost::asio::use_awaitable_t<>&>(),
        std::move(arguments)...)) {
    boost::asio::use_awaitable_t<> token;
    co_return co_await boost::asio::async_initiate<boost::asio::use_awaitable_t<>, Signature>(
        std::move(initiation), token, std::move(arguments)...);
}

} // namespace detail
} // namespace bridge

template<class... Values>
class boost::asio::async_result<bridge::use_python_future_t, void(Values...)> {
public:
    using return_type = pybind11::object;

    template<class Initiation, class... Arguments>
    static return_type initiate(Initiation&& initiation, const bridge::use_python_future_t& token,
                                Arguments&&... arguments) {
        auto locals = token.locals() ? token.locals() : bridge::detail::handler_locals();
        return bridge::to_python_future(
            std::move(locals),
            bridge::detail::run_operation<void(Values...), std::decay_t<Initiation>,
                                          std::decay_t<Arguments>...>(
                std::forward<Initiation>(initiation), std::forward<Arguments>(arguments)...));
    }
};
