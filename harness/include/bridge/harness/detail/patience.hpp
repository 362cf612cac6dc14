// SPDX-License-Identifier: Apache-2.0
// How BRIDGE_EVENTUALLY waits between two looks.
#pragma once

#include <bridge/harness/detail/decompose.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>

namespace bridge::harness::detail {

/// Looks often at first, and at least every 50 ms.
class patience {
public:
    template<class Rep, class Period>
    explicit patience(std::chrono::duration<Rep, Period> within)
        : within_(std::chrono::ceil<std::chrono::milliseconds>(within)) {}

    bool is_over() const { return clock::now() >= begun_ + within_; }

    /// With the time that was waited, for a result that still does not hold.
    judgement end(judgement last) const;

    boost::asio::awaitable<void> pause();
    void pause_thread();

private:
    using clock = std::chrono::steady_clock;

    std::chrono::milliseconds next_pause();

    std::chrono::milliseconds within_;
    std::chrono::milliseconds pause_{1};
    clock::time_point begun_ = clock::now();
};

} // namespace bridge::harness::detail
