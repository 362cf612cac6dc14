// SPDX-License-Identifier: Apache-2.0
// Names what was asked to end and does not: whoever asked waits for it, perhaps for ever.
#include <bridge/slow_cancel.hpp>

#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/in_flight.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/detail/steal_or_throw.hpp>

#include <algorithm>
#include <mutex>
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

void in_flight::watch(in_flight_member& member, slow_watch& by) noexcept {
    const auto slow = slow_cancel_duration();
    auto* home = member.home.load(std::memory_order_relaxed);
    if (home != nullptr && home->note_asked(member, by, slow))
        home->set_timer(by.due);
}

// False if it was asked before, or nothing is to be said.
bool in_flight::note_asked(in_flight_member& member, slow_watch& by,
                           clock::duration slow) noexcept {
    const std::lock_guard lock(mutex_);
    if (member.home.load(std::memory_order_relaxed) != this ||
        std::exchange(by.of, &member) != nullptr || slow.count() == 0)
        return false;
    by.due = clock::now() + slow;
    asked_.link_last(by);
    return true;
}

void in_flight::unwatch(in_flight_member& member) noexcept {
    if (asked_.first() == nullptr || member.kind->watch == nullptr)
        return;
    if (auto* watch = member.kind->watch(&member); watch != nullptr && watch->link.is_linked())
        asked_.unlink(*watch);
}

py::object in_flight::timer_function() {
    retain();
    const auto self =
        py::reinterpret_steal<py::object>(PyCapsule_New(this, timer_capsule, [](PyObject* capsule) {
            static_cast<in_flight*>(PyCapsule_GetPointer(capsule, timer_capsule))->release();
        }));
    if (!self) {
        release();
        throw py::error_already_set();
    }
    return steal_or_throw(PyCFunction_New(&timer_method, self.ptr()));
}

// One timer serves all requests of its time: most of them are answered long before.
void in_flight::set_timer(clock::time_point due) noexcept {
    const bool is_elsewhere = free_threaded && !runs_here();
    if (!is_elsewhere && (due >= timer_due_ || !open_))
        return;
    const py::error_scope keep_set_error;
    try {
        if (is_elsewhere)
            return look_there();
        const auto function = timer_function();
        const std::chrono::duration<double> after = due - clock::now();
        call_python([&] { py::handle(loop_).attr("call_later")(after.count(), function); });
        timer_due_ = due;
    } catch (py::error_already_set&) {
        // The loop is being closed, or has no timers: then nothing is said.
    }
}

// The loop of another thread must not be touched: that sets the timer.
void in_flight::look_there() {
    const auto loop = find_loop();
    if (!loop)
        return;
    const auto function = timer_function();
    call_python([&] { loop.attr(get_imports().name.call_soon_threadsafe)(function); });
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
    for (auto one = take_slow(now, next_due); one.first != nullptr; one = take_slow(now, next_due))
        one.first->kind->warn(one.first); // the log's handlers may run anything
    set_timer(next_due);
}

// One that was due, and is not watched any more; or none, and when the next one is due.
in_flight::kept in_flight::take_slow(clock::time_point now, clock::time_point& next_due) noexcept {
    kept taken;
    const std::lock_guard lock(mutex_);
    next_due = no_timer;
    for (auto* one = asked_.first(); one != nullptr && taken.first == nullptr;) {
        auto* watch = std::exchange(one, one->link.next);
        if (watch->due > now) {
            next_due = std::min(next_due, watch->due);
            continue;
        }
        if (keep(*watch->of, taken))
            asked_.unlink(*watch);
    }
    return taken;
}

bool in_flight::runs_here() const noexcept {
    const auto running = py::reinterpret_steal<py::object>(
        PyObject_CallNoArgs(get_imports().get_running_loop.ptr()));
    PyErr_Clear();
    return running.ptr() == loop_;
}

} // namespace detail
} // namespace bridge
