// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/interpreter_entry.hpp>

#include "python/thread_states.hpp"
#include "python/waiting_guards.hpp"

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/shared.hpp>

#include <cstdint>
#include <mutex>
#include <new>

namespace bridge::detail {
namespace {

// Gives the kept state back when its thread ends.
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
        this_thread().kept_state = kept_;
        this_thread().kept_in_life = life_;
        PyEval_SaveThread();
    }

    ~kept_thread_state() {
        const gate_guard inside(interpreter_gate());
        if (kept_ == nullptr || !inside || life_ != shared().interpreter_life)
            return; // Python frees or has freed it
        give_back();
    }

private:
    void give_back() noexcept {
#if PY_VERSION_HEX >= 0x030F0000
        const waiting_guard guard;
        if (guard.get() == nullptr)
            return;
#endif
        call_python([this] { PyEval_RestoreThread(kept_); });
        PyGILState_Release(PyGILState_UNLOCKED);
    }

    PyThreadState* kept_ = nullptr;
    std::uint32_t life_ = 0;
};

thread_local kept_thread_state kept;

// Entering with a state that is kept costs a lock, with a new one its first stack page too. CPython
// 3.15 goes on to name that of an earlier life, with which a thread would wait for ever.
void provide_thread_state() {
    const auto* state = PyGILState_GetThisThreadState();
    const auto& mine = this_thread();
    if (state == nullptr ||
        (state == mine.kept_state && mine.kept_in_life != shared().interpreter_life))
        kept.keep();
}

} // namespace

#if PY_VERSION_HEX >= 0x030F0000

bool interpreter_entry::enter() {
    waiting_guard guard;
    if (guard.get() == nullptr)
        return false;
    provide_thread_state();
    token_ = PyThreadState_Ensure(guard.get());
    if (token_ == nullptr)
        throw std::bad_alloc();
    guard_ = guard.release();
    return true;
}

void interpreter_entry::leave() noexcept {
    PyThreadState_Release(token_);
    if (guard_ != nullptr)
        PyInterpreterGuard_Close(guard_);
}

// Not closed at once: in a forked child that would take a lock which another thread may have held.
void interpreter_entry::forget(shared_state& in) noexcept {
    if (guard_ != nullptr && keep_forgotten(in, guard_))
        guard_ = nullptr;
}

void interpreter_entry::forget_all(shared_state& in) noexcept {
    const std::lock_guard lock(in.stays_mutex);
    while (auto* stay = in.forgotten_stays) {
        in.forgotten_stays = stay->next;
        PyInterpreterGuard_Close(stay->guard);
        delete stay;
    }
}

#else

bool interpreter_entry::enter() {
    provide_thread_state();
    state_ = PyGILState_Ensure();
    return true;
}

void interpreter_entry::leave() noexcept {
    PyGILState_Release(state_);
}

void interpreter_entry::forget(shared_state&) noexcept {}

void interpreter_entry::forget_all(shared_state&) noexcept {}

#endif

} // namespace bridge::detail
