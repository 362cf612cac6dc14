// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/in_flight.hpp>

#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>

#include <utility>

namespace bridge::detail {

void in_flight::join(in_flight_member& member) noexcept {
    if (!open_)
        return;
    member.home = this;
    link_first<&in_flight_member::link>(members_, member);
    if (member.kind->cancel != nullptr)
        ++native_work_;
}

void in_flight::leave(in_flight_member& member) noexcept {
    auto* home = std::exchange(member.home, nullptr);
    if (home == nullptr)
        return;
    home->unwatch(member);
    unlink<&in_flight_member::link>(member);
    if (member.kind->cancel != nullptr && --home->native_work_ == 0 && home->when_idle_ != nullptr)
        home->tell_idle();
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

std::size_t in_flight::cancel(py::object when_idle) {
    for (auto* member = members_; member != nullptr; member = member->link.next)
        if (member->kind->cancel != nullptr)
            member->kind->cancel(member);
    if (native_work_ > 0)
        Py_XSETREF(when_idle_, when_idle.release().ptr());
    return native_work_;
}

void in_flight::abandon(const scheduler* on, errc why) noexcept {
    for (auto* member = members_; member != nullptr;) {
        const auto& kind = *member->kind;
        if (on != nullptr && (kind.runs_on == nullptr || kind.runs_on(member) != on)) {
            member = member->link.next;
            continue;
        }
        leave(*member);
        kind.abandon(member, why);
        member = members_; // what is next may have left too
    }
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
