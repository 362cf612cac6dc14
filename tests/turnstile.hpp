// SPDX-License-Identifier: Apache-2.0
// Native code that waits until Python lets it go on.
#pragma once

#include <bridge/bridge.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>

/// Passed one at a time, each when it is opened. Any thread.
class turnstile {
public:
    turnstile() : passes_(bridge::default_runtime().io_context(), 1000) {}

    boost::asio::awaitable<void> wait() {
        co_await passes_.async_receive(boost::asio::use_awaitable);
    }

    /// The same, whatever asks it to stop.
    boost::asio::awaitable<void> wait_deaf() {
        co_await passes_.async_receive(boost::asio::bind_cancellation_slot(
            boost::asio::cancellation_slot(), boost::asio::use_awaitable));
    }

    void open() { passes_.try_send(boost::system::error_code()); }

private:
    boost::asio::experimental::concurrent_channel<void(boost::system::error_code)> passes_;
};
