// SPDX-License-Identifier: Apache-2.0
// Blocking C++ functions off the loop.
#pragma once

#include <bridge/detail/blocking_pool.hpp>
#include <bridge/detail/ownership.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace bridge {
namespace detail {

template<class F>
decltype(auto) call_blocking(F& function, const std::stop_source& stop) {
    if constexpr (std::is_invocable_v<F&, std::stop_token>)
        return function(stop.get_token());
    else
        return function();
}

template<class F>
using blocking_result =
    decltype(call_blocking(std::declval<F&>(), std::declval<const std::stop_source&>()));

template<class T>
struct blocking_signature {
    using type = void(std::exception_ptr, T);
};

template<>
struct blocking_signature<void> {
    using type = void(std::exception_ptr);
};

/// A function on its way through the pool. Shared by the pool and the cancellation slot; whichever
/// takes it first from `queued` completes it.
template<class F, class Handler>
class blocking_call final : public blocking_job,
                            public std::enable_shared_from_this<blocking_call<F, Handler>> {
    using result = blocking_result<F>;
    static_assert(!std::is_reference_v<result>,
                  "to_thread: the function must not return a reference: return by value");
    static_assert(!needs_gil<result>,
                  "to_thread: a pybind11 object must not leave a function that runs without the "
                  "GIL: return bridge::py_ref instead");
    static_assert(std::is_void_v<result> || std::is_default_constructible_v<result>,
                  "to_thread: the result must be default-constructible, as a failed one is");

public:
    blocking_call(F function, Handler handler)
        : function_(std::move(function)), handler_(std::move(handler)),
          slot_(boost::asio::get_associated_cancellation_slot(*handler_)),
          executor_(boost::asio::prefer(
              boost::asio::get_associated_executor(*handler_, boost::asio::system_executor()),
              boost::asio::execution::outstanding_work.tracked)) {}

    void start() {
        if (slot_.is_connected())
            slot_.assign([self = this->shared_from_this()](boost::asio::cancellation_type type) {
                if (type != boost::asio::cancellation_type::none)
                    self->request_cancel();
            });
        submit(this->shared_from_this());
    }

    void run() noexcept override {
        if (!leave_queue())
            return; // cancelled before its turn
        std::exception_ptr error;
        try {
            if constexpr (std::is_void_v<result>)
                call_blocking(function_, stop_);
            else
                value_ = call_blocking(function_, stop_);
        } catch (...) {
            error = std::current_exception();
        }
        if (!error && stop_.stop_requested())
            error = aborted();
        complete(std::move(error));
    }

private:
    bool leave_queue() noexcept { return !taken_.exchange(true, std::memory_order_acq_rel); }

    void request_cancel() noexcept {
        stop_.request_stop();
        if (leave_queue())
            complete(aborted());
    }

    static std::exception_ptr aborted() {
        return std::make_exception_ptr(
            boost::system::system_error(boost::asio::error::operation_aborted));
    }

    void complete(std::exception_ptr error) {
        auto on = std::move(executor_);
        boost::asio::post(on,
                          [self = this->shared_from_this(), error = std::move(error)]() mutable {
                              self->slot_.clear();
                              auto handler = std::move(*self->handler_);
                              self->handler_.reset();
                              if constexpr (std::is_void_v<result>)
                                  std::move(handler)(std::move(error));
                              else
                                  std::move(handler)(std::move(error), std::move(self->value_));
                          });
    }

    using executor_type = std::decay_t<decltype(boost::asio::prefer(
        std::declval<boost::asio::associated_executor_t<Handler, boost::asio::system_executor>>(),
        boost::asio::execution::outstanding_work.tracked))>;

    F function_;
    std::optional<Handler> handler_;
    boost::asio::associated_cancellation_slot_t<Handler> slot_;
    executor_type executor_;
    std::stop_source stop_;
    std::atomic<bool> taken_{false};
    std::conditional_t<std::is_void_v<result>, std::exception_ptr, result> value_{};
};

} // namespace detail

/// Runs a blocking function on a thread kept for such (at most 32, or the machine's processors and
/// four, whichever is less) and completes with its result; signature void(exception_ptr, T), any
/// completion token: awaited by default, a Python awaitable with use_python_future. Inside it the
/// locals are those of the caller.
/// Resumes: on the awaiting executor.
/// GIL: not needed, not held in the function, which may take it by with_gil.
/// Cancel: a function that has not begun never does; one that runs is told so by its
/// std::stop_token, if it takes one; either way the end is awaited and is operation_aborted.
/// Throws: what the function throws.
template<class F, class Token = boost::asio::use_awaitable_t<>>
auto to_thread(F function, Token&& token = {}) {
    using signature = typename detail::blocking_signature<detail::blocking_result<F>>::type;
    return boost::asio::async_initiate<Token, signature>(
        [](auto handler, F blocking) {
            std::make_shared<detail::blocking_call<F, decltype(handler)>>(std::move(blocking),
                                                                          std::move(handler))
                ->start();
        },
        token, std::move(function));
}

} // namespace bridge
