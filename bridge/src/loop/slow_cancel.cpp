// SPDX-License-Identifier: Apache-2.0
// Names what was asked to end and does not: whoever asked waits for it, perhaps for ever.
#include <bridge/detail/port.hpp>
#include <bridge/slow_cancel.hpp>

#include "python/imports.hpp"

#include <bridge/detail/shared.hpp>

#include <algorithm>
#include <utility>

namespace bridge {
namespace {

using clock = std::chrono::steady_clock;

constexpr const char* capsule_name = "bridge.port (timer)";

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

PyMethodDef port::timer_method = {"bridge_slow_cancels", &port::on_timer, METH_NOARGS, nullptr};

void port::watch_ending(port_member& member) noexcept {
    const auto slow = slow_cancel_duration();
    auto* home = member.home;
    if (home == nullptr || std::exchange(member.asked, true) || slow.count() == 0)
        return;
    member.due = clock::now() + slow;
    member.next_asked = nullptr;
    member.asked_link = home->last_asked_;
    *home->last_asked_ = &member;
    home->last_asked_ = &member.next_asked;
    home->set_timer(member.due);
}

void port::unwatch(port_member& member) noexcept {
    auto** link = std::exchange(member.asked_link, nullptr);
    if (link == nullptr)
        return;
    *link = member.next_asked;
    if (member.next_asked != nullptr)
        member.next_asked->asked_link = link;
    else
        last_asked_ = link;
}

// One timer serves all requests of its time: most of them are answered long before.
void port::set_timer(clock::time_point due) noexcept {
    if (due >= timer_due_ || !is_open())
        return;
    const py::error_scope keep_set_error;
    try {
        retain();
        const auto self = py::reinterpret_steal<py::object>(
            PyCapsule_New(this, capsule_name, [](PyObject* capsule) {
                static_cast<port*>(PyCapsule_GetPointer(capsule, capsule_name))->release();
            }));
        if (!self)
            return release();
        const auto method =
            py::reinterpret_steal<py::object>(PyCFunction_New(&timer_method, self.ptr()));
        const std::chrono::duration<double> after = due - clock::now();
        loop().attr("call_later")(after.count(), method);
        timer_due_ = due;
    } catch (py::error_already_set&) {
        // The loop is being closed, or has no timers: then nothing is said.
    }
}

PyObject* port::on_timer(PyObject* self, PyObject*) noexcept {
    const intrusive_ptr<port> to(static_cast<port*>(PyCapsule_GetPointer(self, capsule_name)));
    if (to->is_open())
        to->warn_of_slow_members();
    Py_RETURN_NONE;
}

void port::warn_of_slow_members() noexcept {
    const auto now = clock::now();
    timer_due_ = no_timer;
    auto next_due = no_timer;
    for (auto* member = first_asked_; member != nullptr;) {
        if (member->due > now) {
            next_due = std::min(next_due, member->due);
            member = member->next_asked;
            continue;
        }
        unwatch(*member);
        member->kind->warn(member);
        member = first_asked_; // the log's handlers may have run anything
    }
    set_timer(next_due);
}

} // namespace detail
} // namespace bridge
