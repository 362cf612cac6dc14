// SPDX-License-Identifier: Apache-2.0
// The guards of PEP 788, with which Python waits for a thread before it ends, and fork(): a child
// has not got the threads that hold them. Nothing of this is there before CPython 3.15.
#pragma once

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/shared.hpp>

#include <atomic>

namespace bridge::detail {

/// Held over a fork, so that the child finds the list of this image in one piece.
void lock_waiting_guards() noexcept;
void unlock_waiting_guards() noexcept;

/// In a forked child: interpreter_entry::forget_all() closes the guards of the threads that it has
/// not got.
/// GIL: required; locked.
void forget_waiting_guards() noexcept;

#if PY_VERSION_HEX >= 0x030F0000

struct forgotten_stay {
    forgotten_stay* next;
    PyInterpreterGuard* guard;
};

/// False if there is no memory.
/// GIL: required.
bool keep_forgotten(shared_state& in, PyInterpreterGuard* guard) noexcept;

/// The guard of a thread that waits for the GIL.
/// A fork just before the guard is noted leaves it to the child: no lock may be held from before,
/// since a fork waits for ours while it holds CPython's own.
class waiting_guard {
public:
    /// Throws std::bad_alloc.
    waiting_guard();
    waiting_guard(const waiting_guard&) = delete;
    waiting_guard& operator=(const waiting_guard&) = delete;
    ~waiting_guard();

    /// Null if the interpreter ends.
    PyInterpreterGuard* get() const noexcept { return guard_.load(std::memory_order_relaxed); }

    /// Once the thread has the GIL: the caller closes it.
    PyInterpreterGuard* release() noexcept;

private:
    friend void forget_waiting_guards() noexcept;

    std::atomic<PyInterpreterGuard*> guard_ = nullptr;
    list_link<waiting_guard> link_;
};

#endif

} // namespace bridge::detail
