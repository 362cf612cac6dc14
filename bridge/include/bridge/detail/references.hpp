// SPDX-License-Identifier: Apache-2.0
// Python references that threads without the GIL let go of, and who may touch Python at all.
#pragma once

#include <bridge/detail/gate.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/shared.hpp>

namespace bridge::detail {

/// Takes the GIL back after PyEval_SaveThread(), done in that life of the interpreter. A thread
/// that comes back when it is over stays here for ever: CPython would end it in the middle of C++
/// frames, which aborts.
void restore_thread(PyThreadState* saved, std::uint32_t life) noexcept;

/// The same of a thread that has entered the gate under the GIL, which it leaves.
void restore_thread(PyThreadState* saved, std::uint32_t life, gate& entered) noexcept;

[[noreturn]] void abort_without_gil(const char* who) noexcept;

/// Ends a debug build with a message if the caller does not hold the GIL.
inline void require_gil([[maybe_unused]] const char* who) noexcept {
#ifndef NDEBUG
    if (Py_IsInitialized() != 0 && !holds_any_gil())
        abort_without_gil(who);
#endif
}

/// Who is told of each py_ref: a test harness. Both are called by any thread, and not with null.
/// Without a lock or an order of memory, if they are not to hide the races of what is tested.
struct reference_watcher {
    void (*taken)(PyObject* object, const char* file, unsigned line) noexcept; ///< GIL
    void (*let_go)(PyObject* object) noexcept;
};

/// From now on, of all modules of this process; null: nobody is told.
void watch_references(const reference_watcher* watcher) noexcept;

/// A line of a caller's. Clang before 15 has no std::source_location.
struct source_place {
    const char* file;
    unsigned line;

    static constexpr source_place here(const char* file = __builtin_FILE(),
                                       unsigned line = __builtin_LINE()) noexcept {
        return {file, line};
    }
};

inline void note_taken(PyObject* object, const source_place& where) noexcept {
    const auto* watcher = shared().references_watcher.load(std::memory_order_acquire);
    if (watcher != nullptr && object != nullptr)
        watcher->taken(object, where.file, where.line);
}

inline void note_let_go(PyObject* object) noexcept {
    const auto* watcher = shared().references_watcher.load(std::memory_order_acquire);
    if (watcher != nullptr && object != nullptr)
        watcher->let_go(object);
}

/// Drops a reference from any thread: at once under the GIL, else when some thread next holds it.
void release_reference(PyObject* object) noexcept;

/// The same for an awaitable that nobody began: ends it first, so that Python does not warn.
void release_unstarted(PyObject* awaitable) noexcept;

/// Ends an awaitable that nobody began, so that Python does not warn. Not if somebody else has it,
/// who may still await it: the caller owns so many of its references. Requires the GIL.
void close_unstarted(PyObject* awaitable, Py_ssize_t owned) noexcept;

/// Drops what was left by threads without the GIL. Requires the GIL.
void drop_released_references() noexcept;

} // namespace bridge::detail
