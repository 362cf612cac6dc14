// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/attach.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <cstdint>
#include <mutex>
#include <utility>

namespace bridge::detail {

gate& gil_hold::usable_gate() {
    if (!interpreter_gate().is_open() && holds_gil())
        attach_interpreter();
    return interpreter_gate();
}

gil_hold::gil_hold(gil_user who) {
    if (!inside_)
        throw_error(errc::interpreter_gone);
    if (!holds_gil())
        call_python([&] { take(who); });
    if (PyInterpreterState_Get() == PyInterpreterState_Main()) // another's GIL may not be this one
        enter_list();
    if (taken_)
        drop_released_references();
}

void gil_hold::take(gil_user who) {
    if (who == gil_user::library)
        shared().unasked_gil_takes.fetch_add(1, std::memory_order_relaxed);
    shared().gil_takes.fetch_add(1, std::memory_order_relaxed);
    if (!entry_.enter())
        throw_error(errc::interpreter_gone);
    taken_ = true;
}

gil_hold::~gil_hold() {
    leave_list();
    if (taken_)
        entry_.leave();
}

void gil_hold::enter_list() noexcept {
    const std::lock_guard lock(shared().stays_mutex);
    link_first<&gil_hold::link_>(shared().gil_holds, *this);
}

void gil_hold::leave_list() noexcept {
    const std::lock_guard lock(shared().stays_mutex);
    unlink<&gil_hold::link_>(*this);
}

bool gil_hold::raise_in_others(PyObject* exception) noexcept {
    const auto mine = PyThread_get_thread_ident();
    bool any = false;
    const std::lock_guard lock(shared().stays_mutex);
    for (auto* one = shared().gil_holds; one != nullptr; one = one->link_.next)
        if (one->thread_ != mine && PyThreadState_SetAsyncExc(one->thread_, exception) != 0)
            any = true;
    return any;
}

void gil_hold::forget_this_thread() noexcept {
    forget(shared(), true);
}

void gil_hold::forget_others(shared_state& in) noexcept {
    forget(in, false);
}

void gil_hold::forget(shared_state& in, bool mine) noexcept {
    const std::lock_guard lock(in.stays_mutex);
    const auto me = PyThread_get_thread_ident();
    for (auto* next = in.gil_holds; next != nullptr;) {
        auto* one = std::exchange(next, next->link_.next);
        if ((one->thread_ == me) != mine)
            continue;
        unlink<&gil_hold::link_>(*one);
        one->entry_.forget(in);
        one->inside_.leave();
    }
}

} // namespace bridge::detail

std::uint64_t bridge::unasked_gil_takes() noexcept {
    return detail::shared().unasked_gil_takes.load(std::memory_order_relaxed);
}
