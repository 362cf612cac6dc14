// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/in_flight.hpp>

#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>

#include <mutex>
#include <utility>

namespace bridge::detail {

void in_flight::join(in_flight_member& member) noexcept {
    const std::lock_guard lock(mutex_);
    if (!open_)
        return;
    member.home.store(this, std::memory_order_relaxed);
    link_first<&in_flight_member::link>(members_, member);
    if (member.kind->cancel != nullptr)
        native_work_.add(1);
}

void in_flight::leave(in_flight_member& member) noexcept {
    auto* home = member.home.load(std::memory_order_relaxed);
    if (home != nullptr && home->remove(member))
        home->tell_idle();
}

bool in_flight::remove(in_flight_member& member) noexcept {
    const std::lock_guard lock(mutex_);
    return remove_locked(member);
}

// True if somebody waits for this.
bool in_flight::remove_locked(in_flight_member& member) noexcept {
    if (member.home.load(std::memory_order_relaxed) == nullptr)
        return false;
    member.home.store(nullptr, std::memory_order_relaxed);
    unwatch(member);
    unlink<&in_flight_member::link>(member);
    if (member.kind->cancel == nullptr)
        return false;
    native_work_ = native_work_ - 1;
    return native_work_ == 0 && when_idle_ != nullptr;
}

void in_flight::tell_idle() noexcept {
    const py::error_scope keep_set_error;
    const auto callback = py::reinterpret_steal<py::object>(std::exchange(when_idle_, nullptr));
    const auto handle = py::reinterpret_steal<py::object>(call_python([&] {
        return PyObject_CallMethodOneArg(loop_, get_imports().name.call_soon_threadsafe.ptr(),
                                         callback.ptr());
    }));
    PyErr_Clear(); // closed: nobody waits
}

void in_flight::cancel_each() noexcept {
    const std::lock_guard lock(mutex_);
    for (auto* member = members_; member != nullptr; member = member->link.next)
        if (member->kind->cancel != nullptr)
            member->kind->cancel(member);
}

std::size_t in_flight::cancel(py::object when_idle) {
    cancel_each();
    if (native_work_ > 0)
        Py_XSETREF(when_idle_, when_idle.release().ptr());
    return native_work_;
}

void in_flight::abandon(const scheduler* on, errc why) noexcept {
    while (auto* member = take(on))
        member->kind->abandon(member, why);
}

// Removes one that runs on the given threads, or any; null if there is none.
in_flight_member* in_flight::take(const scheduler* on) noexcept {
    bool is_idle = false;
    auto* member = [&]() -> in_flight_member* {
        const std::lock_guard lock(mutex_);
        for (auto* one = members_; one != nullptr; one = one->link.next) {
            const auto& kind = *one->kind;
            if (on != nullptr && (kind.runs_on == nullptr || kind.runs_on(one) != on))
                continue;
            is_idle = remove_locked(*one);
            return one;
        }
        return nullptr;
    }();
    if (is_idle)
        tell_idle();
    return member;
}

std::vector<std::string> in_flight::describe() const {
    std::vector<std::string> all;
    for (const auto* member = members_; member != nullptr; member = member->link.next)
        if (member->kind->describe != nullptr)
            all.push_back(member->kind->describe(member));
    return all;
}

int in_flight::traverse(visitproc visit, void* arg) const noexcept {
    Py_VISIT(when_idle_);
    for (const auto* member = members_; member != nullptr; member = member->link.next) {
        const int stop =
            member->kind->traverse != nullptr ? member->kind->traverse(member, visit, arg) : 0;
        if (stop != 0)
            return stop;
    }
    return 0;
}

void in_flight::forget_loop() noexcept {
    Py_CLEAR(when_idle_);
    loop_ = nullptr;
}

} // namespace bridge::detail
