// SPDX-License-Identifier: Apache-2.0
// A loop whose time a test moves. When to move it is said in harness/src/run/virtual_time.py.
#include "same_thread/loop_context.hpp"

#include "same_thread/loop_io.hpp"

#include <bridge/detail/blocking_pool.hpp>
#include <bridge/gil.hpp>

#include <algorithm>
#include <stdexcept>

namespace bridge::detail {

using time_point = std::chrono::steady_clock::time_point;

void loop_context::set_time(time_point time) {
    if (!loop_io_works())
        throw std::runtime_error(
            "bridge: virtual time needs an Asio that waits by epoll and timerfd");
    virtual_ = time;
    for (auto* one = first_io(); one != nullptr; one = one->next)
        one->note_time();
}

time_point loop_context::time() const noexcept {
    return virtual_.value_or(real_clock::now());
}

// What was found ready is looked at again by the next turn.
bool loop_context::is_idle() noexcept {
    const gil_pause pause;
    look(0);
    if (selector_ready_ || !has_nothing_to_do())
        return false;
    for (auto* one = first_io(); one != nullptr; one = one->next)
        if (one->ready || one->has_handlers())
            return false;
    return true;
}

loop_context::waits loop_context::find_waits() noexcept {
    waits all;
    all.on_threads = count_blocking_jobs() > 0;
    const gil_pause pause;
    for (auto* one = first_io(); one != nullptr; one = one->next) {
        const auto its = one->find_waits();
        all.in_io |= its.elsewhere;
        if (its.first_timer)
            all.first_timer =
                std::min(all.first_timer.value_or(*its.first_timer), *its.first_timer);
    }
    return all;
}

void loop_context::sleep(double seconds) noexcept {
    const gil_pause pause;
    sleep_inside(seconds);
}

} // namespace bridge::detail
