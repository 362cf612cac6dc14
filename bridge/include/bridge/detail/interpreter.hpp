// SPDX-License-Identifier: Apache-2.0
// Whether Python may be touched from this thread, and what is kept once per interpreter.
#pragma once

#include <bridge/detail/gate.hpp>
#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// Threads that do not hold the GIL touch CPython only inside this gate: finalization waits for
/// them.
inline gate interpreter_gate{false};

/// True when this thread holds the GIL of a live interpreter. Never call after finalization without
/// being inside the gate: CPython then answers yes.
inline bool holds_gil() noexcept {
    return PyGILState_Check() != 0;
}

/// Takes the GIL back after PyEval_SaveThread(). A thread that comes back when the interpreter has
/// gone stays here for ever: CPython would end it in the middle of C++ frames, which aborts.
void restore_thread(PyThreadState* saved) noexcept;

[[noreturn]] void abort_without_gil(const char* who) noexcept;

/// Ends a debug build with a message where the caller does not hold the GIL.
inline void require_gil([[maybe_unused]] const char* who) noexcept {
#ifndef NDEBUG
    if (Py_IsInitialized() != 0 && !holds_gil())
        abort_without_gil(who);
#endif
}

/// Drops a reference from any thread: at once under the GIL, else when some thread next holds it.
void release_reference(PyObject* object) noexcept;

/// Drops what was left by threads without the GIL. Requires the GIL.
void drop_released_references() noexcept;

/// Runs at interpreter exit, in reverse order of registration, GIL held. Requires the GIL.
void at_interpreter_exit(void (*hook)());

/// Opens the gate and installs the exit hook, once per interpreter life. Requires the GIL.
void attach_interpreter();

/// Shuts the default runtime down at interpreter exit; in runtime.cpp. Requires the GIL.
void install_runtime_exit();

} // namespace bridge::detail
