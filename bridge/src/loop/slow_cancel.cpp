// SPDX-License-Identifier: Apache-2.0
// Names what was asked to end and does not: whoever asked waits for it, perhaps for ever.
#include <bridge/slow_cancel.hpp>

#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/in_flight.hpp>
#include <bridge/detail/shared.hpp>

#include <algorithm>
#include <utility>

namespace bridge {
namespace {

using clock = std::chrono::steady_clock;

constexpr const char* timer_capsule = "bridge.in_flight (timer)";

} // namespace

void set_slow_cancel_duration(std::chrono::milliseconds duration) noexcept {
    detail::shared().slow_cancel_milliseconds.store(duration.count(), std::memory_order_relaxed);
}

namespace detail {
namespace {

std::chrono::milliseconds slow_cancel_duration() noexcept {
    return std::chrono::milliseconds(
        shared().slow_cancel_milliseconds.load(std::memory_order_relaxed));
}

} // namespace

PyMethodDef in_flight::timer_method = {"bridge_slow_cancels", &in_flight::on_timer, METH_NOARGS,
                                       nullptr};

void in_flight::watch(in_flight_member& member) noexcept {
    const auto slow = slow_cancel_duration();
    auto* home = member.home;
    if (home == nullptr || std::exchange(member.asked, true) || slow.count() == 0)
        return;
    member.due = clock::now() + slow;
    home->asked_.link_last(member);
    home->set_timer(member.due);
}

void in_flight::unwatch(in_flight_member& member) noexcept {
    if (member.asked_link.is_linked())
        asked_.unlink(member);
}

// One timer serves all requests of its time: most of them are answered long before.
void in_flight::set_timer(clock::time_point due) noexcept {
    if (due >= timer_due_ || !open_)
        return;
    const py::error_scope keep_set_error;
    try {
        retain();
        const auto self = py::reinterpret_steal<py::object>(
            PyCapsule_New(this, timer_capsule, [](PyObject* capsule) {
                static_cast<in_flight*>(PyCapsule_GetPointer(capsule, timer_capsule))->release();
            }));
        if (!self)
            return release();
        const auto method =
            py::reinterpret_steal<py::object>(PyCFunction_New(&timer_method, self.ptr()));
        const std::chrono::duration<double> after = due - clock::now();
        call_python([&] { py::handle(loop_).attr("call_later")(after.count(), method); });
        timer_due_ = due;
    } catch (py::error_already_set&) {
        // The loop is being closed, or has no timers: then nothing is said.
    }
}

PyObject* in_flight::on_timer(PyObject* self, PyObject*) noexcept {
    const intrusive_ptr<in_flight> all(
        static_cast<in_flight*>(PyCapsule_GetPointer(self, timer_capsule)));
    if (all->open_)
        all->warn_of_slow();
    Py_RETURN_NONE;
}

void in_flight::warn_of_slow() noexcept {
    const auto now = clock::now();
    timer_due_ = no_timer;
    auto next_due = no_timer;
    for (auto* member = asked_.first(); member != nullptr;) {
        if (member->due > now) {
            next_due = std::min(next_due, member->due);
            member = member->asked_link.next;
            continue;
        }
        unwatch(*member);
        member->kind->warn(member);
        member = asked_.first(); // the log's handlers may have run anything
    }
    set_timer(next_due);
}

} // namespace detail
} // namespace bridge
