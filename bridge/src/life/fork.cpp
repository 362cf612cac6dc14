// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/fork.hpp>

#include "python/imports.hpp"
#include "python/thread_states.hpp"
#include "python/waiting_guards.hpp"
#include "runtime/default_runtime.hpp"

#include <bridge/detail/port.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/gil.hpp>

#include <pthread.h>

#include <mutex>
#include <new>

namespace bridge::detail {

/// Everything of this module that has to hear of a fork.
class fork_registry {
public:
    /// Never destroyed: runtimes may end while statics are destroyed.
    static fork_registry& get() {
        static auto& registry = *new fork_registry;
        return registry;
    }

    void add(fork_aware& item) {
        const std::lock_guard lock(mutex_);
        link_first<&fork_aware::link_>(first_, item);
    }

    void remove(fork_aware& item) {
        const std::lock_guard lock(mutex_);
        unlink<&fork_aware::link_>(item);
    }

private:
    fork_registry() { pthread_atfork(&before, &in_parent, &in_child); }

    // Locked across the fork, so that the child finds lists in one piece.
    static void before() noexcept {
        if (forks_need_thread_states)
            thread_states_mutex().lock();
        own_default_runtime.mutex.lock();
        own_state.ports_mutex.lock();
        lock_waiting_guards();
        get().mutex_.lock();
    }

    static void unlock() noexcept {
        get().mutex_.unlock();
        unlock_waiting_guards();
        own_state.ports_mutex.unlock();
        own_default_runtime.mutex.unlock();
        if (forks_need_thread_states)
            thread_states_mutex().unlock();
    }

    static void in_parent() noexcept { unlock(); }

    static void in_child() noexcept {
        for (auto* item = get().first_; item != nullptr; item = item->link_.next)
            item->became_copy();
        forget_shared_state();
        unlock();
    }

    static void forget_shared_state() noexcept;

    std::mutex mutex_;
    fork_aware* first_ = nullptr;
};

// The parent's default runtime is not ended: its threads are not here. Those who were inside the
// gate in the parent will never leave it, so the child gets another.
void fork_registry::forget_shared_state() noexcept {
    own_default_runtime.running = nullptr;
    this_thread().running_port = nullptr;
    port::mark_copies(own_state);
    if (auto* all = own_state.all.load()) {
        all->last_port = {};
    }
    for (auto* mutex :
         {&own_state.stays_mutex, &own_state.attach_mutex, &own_state.port_table_mutex})
        mutex->reset();
    if (holds_gil()) { // else the list may not be in one piece
        gil_hold::forget_others(own_state);
        forget_waiting_guards();
    }
    const bool open = own_state.interpreter_gate.load(std::memory_order_relaxed)->is_open();
    if (auto* fresh = new (std::nothrow) gate(open))
        own_state.interpreter_gate.store(fresh, std::memory_order_release);
}

void watch_for_fork() {
    fork_registry::get();
}

fork_aware::fork_aware() {
    fork_registry::get().add(*this);
}

fork_aware::~fork_aware() {
    fork_registry::get().remove(*this);
}

} // namespace bridge::detail
