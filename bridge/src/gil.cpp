// SPDX-License-Identifier: Apache-2.0
#include "thread_states.hpp"

#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <cstdint>
#include <new>

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
        PyEval_RestoreThread(kept_);
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
    if (holds_gil())
        return;
    if (who == gil_user::library)
        shared().unasked_gil_takes.fetch_add(1, std::memory_order_relaxed);
    shared().gil_takes.fetch_add(1, std::memory_order_relaxed);
    if (PyGILState_GetThisThreadState() == nullptr) {
        kept.keep();
        PyEval_SaveThread();
    }
    state_ = PyGILState_Ensure();
    taken_ = true;
    drop_released_references();
}

gil_hold::~gil_hold() {
    if (taken_)
        PyGILState_Release(state_);
}

} // namespace bridge::detail

std::uint64_t bridge::unasked_gil_takes() noexcept {
    return detail::shared().unasked_gil_takes.load(std::memory_order_relaxed);
}
