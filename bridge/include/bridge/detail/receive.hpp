// SPDX-License-Identifier: Apache-2.0
// Receiving from an Asio channel of a user's own, on whatever threads it may be touched.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <utility>

namespace bridge::detail {

/// Any thread may touch it.
template<class T, class Channel>
class concurrent_receiver {
public:
    explicit concurrent_receiver(std::shared_ptr<Channel> from) : from_(std::move(from)) {}

    auto receive() {
        namespace asio = boost::asio;
        return from_->async_receive(asio::as_tuple(asio::use_awaitable));
    }

private:
    std::shared_ptr<Channel> from_;
};

/// Its own executor only. Not by co_spawn(): until Boost 1.82 that forgets a request of another
/// executor's while it is on its way.
template<class T, class Channel>
class serial_receiver {
    using error_code = boost::system::error_code;

public:
    explicit serial_receiver(std::shared_ptr<Channel> from)
        : of_(std::make_shared<state>(std::move(from))) {}

    auto receive() {
        namespace asio = boost::asio;
        auto token = asio::as_tuple(asio::use_awaitable);
        return asio::async_initiate<decltype(token), void(error_code, T)>(
            [of = of_, round = ++rounds_](auto handler) { begin(of, round, std::move(handler)); },
            token);
    }

private:
    struct state {
        explicit state(std::shared_ptr<Channel> channel)
            : from(std::move(channel)), on(from->get_executor()) {}

        const std::shared_ptr<Channel> from;
        const boost::asio::any_io_executor on;
        boost::asio::cancellation_signal stop; // on's, as is
        unsigned long round = 0;               // what is being received; 0: nothing
    };

    using pointer = std::shared_ptr<state>;

    template<class Handler>
    static void begin(const pointer& of, unsigned long round, Handler handler) {
        namespace asio = boost::asio;
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
            slot.assign(
                [of, round](asio::cancellation_type type) { request_stop(of, round, type); });
        asio::post(of->on, [of, round, handler = std::move(handler)]() mutable {
            start(of, round, std::move(handler));
        });
    }

    // One that comes late is not the next round's.
    static void request_stop(const pointer& of, unsigned long round,
                             boost::asio::cancellation_type type) {
        boost::asio::post(of->on, [of, round, type] {
            if (of->round == round)
                of->stop.emit(type);
        });
    }

    template<class Handler>
    static void start(const pointer& of, unsigned long round, Handler handler) {
        namespace asio = boost::asio;
        of->round = round;
        auto back = asio::prefer(asio::get_associated_executor(handler, of->on),
                                 asio::execution::outstanding_work.tracked);
        of->from->async_receive(asio::bind_cancellation_slot(
            of->stop.slot(),
            [of, back, handler = std::move(handler)](error_code error, T item) mutable {
                of->round = 0;
                asio::dispatch(
                    back, [error, item = std::move(item), handler = std::move(handler)]() mutable {
                        std::move(handler)(error, std::move(item));
                    });
            }));
    }

    pointer of_;
    unsigned long rounds_ = 0;
};

template<class T, class... Of>
auto receiver_of(std::shared_ptr<boost::asio::experimental::basic_concurrent_channel<Of...>> from) {
    return concurrent_receiver<T, boost::asio::experimental::basic_concurrent_channel<Of...>>(
        std::move(from));
}

template<class T, class... Of>
auto receiver_of(std::shared_ptr<boost::asio::experimental::basic_channel<Of...>> from) {
    return serial_receiver<T, boost::asio::experimental::basic_channel<Of...>>(std::move(from));
}

} // namespace bridge::detail
