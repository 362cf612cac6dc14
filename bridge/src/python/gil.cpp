// SPDX-License-Identifier: Apache-2.0
#include "python/thread_states.hpp"

#include <bridge/detail/attach.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <cstdint>
#include <new>
#include <utility>

namespace bridge::detail {
namespace {

// The thread state of a thread that Python did not start, kept between two stays so that entering
// costs a lock and not a new state with its first stack page.
class kept_thread_state {
public:
    // As PyGILState_Ensure() does it, which takes the GIL.
    void keep() {
        {
            const auto lock = lock_thread_states();
            kept_ = PyThreadState_New(PyInterpreterState_Main());
        }
        if (kept_ == nullptr)
            throw std::bad_alloc();
        PyEval_RestoreThread(kept_);
        life_ = shared().interpreter_life;
    }

    ~kept_thread_state() {
        const gate_guard inside(interpreter_gate());
        if (kept_ == nullptr || !inside || life_ != shared().interpreter_life)
            return; // Python frees or has freed it
        call_python([this] { PyEval_RestoreThread(kept_); });
        PyGILState_Release(PyGILState_UNLOCKED);
    }

private:
    PyThreadState* kept_ = nullptr;
    std::uint32_t life_ = 0;
};

thread_local kept_thread_state kept;

} // namespace

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
    if (PyGILState_GetThisThreadState() == nullptr) {
        kept.keep();
        PyEval_SaveThread();
    }
    state_ = PyGILState_Ensure();
    taken_ = true;
}

gil_hold::~gil_hold() {
    leave_list();
    if (taken_)
        PyGILState_Release(state_);
}

void gil_hold::enter_list() noexcept {
    link_first<&gil_hold::link_>(shared().gil_holds, *this);
}

void gil_hold::leave_list() noexcept {
    unlink<&gil_hold::link_>(*this);
}

bool gil_hold::raise_in_others(PyObject* exception) noexcept {
    const auto mine = PyThread_get_thread_ident();
    bool any = false;
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
    const auto me = PyThread_get_thread_ident();
    for (auto* next = in.gil_holds; next != nullptr;) {
        auto* one = std::exchange(next, next->link_.next);
        if ((one->thread_ == me) != mine)
            continue;
        one->leave_list();
        one->inside_.leave();
    }
}

} // namespace bridge::detail

std::uint64_t bridge::unasked_gil_takes() noexcept {
    return detail::shared().unasked_gil_takes.load(std::memory_order_relaxed);
}
