// SPDX-License-Identifier: Apache-2.0
// What an io_context waits for while its loop has virtual time.
#include "same_thread/exposed.hpp"
#include "same_thread/loop_io.hpp"

#include <bridge/detail/virtual_time.hpp>

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/scheduler.hpp>

#include <type_traits>
#include <utility>

namespace bridge::detail {
namespace {

namespace asio = boost::asio;
namespace asio_detail = boost::asio::detail;

using time_point = std::chrono::steady_clock::time_point;

#if defined(BOOST_ASIO_HAS_EPOLL) && defined(BOOST_ASIO_HAS_TIMERFD) &&                            \
    !defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)

using timer_traits = asio_detail::chrono_time_traits<std::chrono::steady_clock,
                                                     asio::wait_traits<std::chrono::steady_clock>>;
using timer_service = asio_detail::deadline_timer_service<timer_traits>;

struct all_work {
    friend constexpr auto member(all_work) noexcept;
};

struct timers_mutex {
    friend constexpr auto member(timers_mutex) noexcept;
};

struct timers {
    friend constexpr auto member(timers) noexcept;
};

template struct exposed<all_work, &asio_detail::scheduler::outstanding_work_>;
template struct exposed<timers_mutex, &asio_detail::epoll_reactor::mutex_>;
template struct exposed<timers, &timer_service::timer_queue_>;

using timer_queue =
    std::remove_reference_t<decltype(std::declval<timer_service&>().*member(timers{}))>;
using timer_data = timer_queue::per_timer_data;

struct first_of_all {
    friend constexpr auto member(first_of_all) noexcept;
};

struct next_of_all {
    friend constexpr auto member(next_of_all) noexcept;
};

struct waits_of_one {
    friend constexpr auto member(waits_of_one) noexcept;
};

template struct exposed<first_of_all, &timer_queue::timers_>;
template struct exposed<next_of_all, &timer_data::next_>;
template struct exposed<waits_of_one, &timer_data::op_queue_>;

// How many waits there are for steady timers.
long count_waits(timer_queue& queue) noexcept {
    long count = 0;
    for (auto* one = queue.*member(first_of_all{}); one != nullptr;
         one = one->*member(next_of_all{}))
        for (asio_detail::operation* wait =
                 asio_detail::op_queue_access::front(one->*member(waits_of_one{}));
             wait != nullptr; wait = asio_detail::op_queue_access::next(wait))
            ++count;
    return count;
}

// Of no timer that never ends.
std::optional<time_point> first_of(const timer_queue& queue) noexcept {
    constexpr std::chrono::microseconds most = std::chrono::hours(24 * 365 * 20);
    const std::chrono::microseconds wait(queue.wait_duration_usec(most.count()));
    return wait < most ? std::optional(*virtual_now + wait) : std::nullopt;
}

#endif

} // namespace

// A program that was not linked as bridge::harness asks for, and a module in any case, has timers
// that know nothing of virtual time: they take theirs.
loop_io::waits loop_io::find_waits() noexcept {
    waits found;
#if defined(BOOST_ASIO_HAS_EPOLL) && defined(BOOST_ASIO_HAS_TIMERFD) &&                            \
    !defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
    asio::io_context& in = context_;
    long other =
        static_cast<long>(asio::use_service<asio_detail::scheduler>(in).*member(all_work{}));
    other -= 1; // work_
    if (virtual_now != nullptr && std::chrono::steady_clock::now() == *virtual_now) {
        auto& queue = asio::use_service<timer_service>(in).*member(timers{});
        auto& reactor = asio::use_service<asio_detail::epoll_reactor>(in);
        // The type of the mutex is a template in newer versions of Boost.
        auto& mutex = reactor.*member(timers_mutex{});
        const std::remove_reference_t<decltype(mutex)>::scoped_lock lock(mutex);
        other -= count_waits(queue);
        found.first_timer = first_of(queue);
    }
    found.elsewhere = other > 0;
#endif
    return found;
}

void loop_io::note_time() {
    if (!time_changed_)
        time_changed_.emplace(context_);
    time_changed_->expires_at(time_point::min());
    time_changed_->async_wait([](const boost::system::error_code&) {});
}

} // namespace bridge::detail
