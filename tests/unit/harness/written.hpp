// SPDX-License-Identifier: Apache-2.0
// What the files of the suite "written" share.
#pragma once

#include <bridge/harness/harness.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>

namespace written {

namespace asio = boost::asio;

inline asio::awaitable<void> sleep(std::chrono::milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

// Says on stdout what happens, in order.
inline void say(const char* what) {
    std::printf("%s\n", what);
    std::fflush(stdout);
}

// Has no text.
struct opaque {
    int value;

    bool operator==(const opaque&) const = default;
};

} // namespace written
