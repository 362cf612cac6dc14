// SPDX-License-Identifier: Apache-2.0
#include <bridge/bridge.hpp>

#include <bridge/harness/detail/patience.hpp>
#include <bridge/protocol/duration.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace bridge::harness::detail {

judgement patience::end(judgement last) const {
    if (!last.holds)
        last.values += (last.values.empty() ? "" : " ") + std::string("after ") +
                       protocol::format_duration(within_);
    return last;
}

std::chrono::milliseconds patience::next_pause() {
    constexpr std::chrono::milliseconds longest{50};
    return std::exchange(pause_, std::min(pause_ * 2, longest));
}

boost::asio::awaitable<void> patience::pause() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, next_pause());
    co_await timer.async_wait(boost::asio::use_awaitable);
}

void patience::pause_thread() {
    std::this_thread::sleep_for(next_pause());
}

} // namespace bridge::harness::detail
