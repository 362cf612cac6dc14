// SPDX-License-Identifier: Apache-2.0
// A coroutine on a serial executor, cancelled there by whoever awaits it elsewhere.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace bridge::detail {

template<class T>
struct spawned {
    using signature = void(std::exception_ptr, T);
};

template<>
struct spawned<void> {
    using signature = void(std::exception_ptr);
};

/// Calls the handler, and keeps what cancels the coroutine up to then.
template<class Handler>
struct keeping_signal {
    std::shared_ptr<boost::asio::cancellation_signal> signal;
    Handler handler;

    template<class... Results>
    void operator()(Results&&... results) {
        std::move(handler)(std::forward<Results>(results)...);
    }
};

/// Starts a coroutine on a serial executor, where a request of the handler's slot is emitted in its
/// turn. co_spawn does so for a handler that has an executor of its own; but in Boost 1.81 by a
/// pointer into the slot, where something else is if the coroutine ends before that turn.
template<class Executor>
class serial_spawn {
public:
    using executor_type = Executor;

    explicit serial_spawn(Executor on) noexcept : on_(std::move(on)) {}

    executor_type get_executor() const noexcept { return on_; }

    template<class Handler, class T>
    void operator()(Handler&& handler, boost::asio::awaitable<T> body) const {
        namespace asio = boost::asio;
        auto completes_on = asio::get_associated_executor(handler, on_);
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (!slot.is_connected())
            return asio::co_spawn(
                on_, std::move(body),
                asio::bind_executor(std::move(completes_on), std::forward<Handler>(handler)));
        const auto signal = std::make_shared<asio::cancellation_signal>();
        slot.assign([signal, on = on_](asio::cancellation_type type) {
            asio::dispatch(on, [signal, type] { signal->emit(type); });
        });
        asio::co_spawn(
            on_, std::move(body),
            asio::bind_cancellation_slot(
                signal->slot(), asio::bind_executor(std::move(completes_on),
                                                    keeping_signal<std::decay_t<Handler>>{
                                                        signal, std::forward<Handler>(handler)})));
    }

private:
    Executor on_;
};

} // namespace bridge::detail
