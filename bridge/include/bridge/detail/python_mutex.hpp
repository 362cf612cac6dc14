// SPDX-License-Identifier: Apache-2.0
// What the GIL does for free: nothing where there is one.
#pragma once

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/python.hpp>

namespace bridge::detail {

#ifdef Py_GIL_DISABLED
inline constexpr bool free_threaded = true;
#else
inline constexpr bool free_threaded = false;
#endif

/// Guards what is otherwise guarded by the GIL alone. A thread that waits for it is detached from
/// Python meanwhile, so that its holder may call Python, and stays here for ever if the interpreter
/// goes before its turn comes.
/// GIL: required.
class python_mutex {
public:
    void lock() noexcept {
#ifdef Py_GIL_DISABLED
        call_python([this] { PyMutex_Lock(&mutex_); });
#endif
    }

    void unlock() noexcept {
#ifdef Py_GIL_DISABLED
        PyMutex_Unlock(&mutex_);
#endif
    }

    /// In a forked child: whoever has locked it is not here.
    void reset() noexcept {
#ifdef Py_GIL_DISABLED
        mutex_ = {};
#endif
    }

#ifdef Py_GIL_DISABLED
private:
    PyMutex mutex_{};
#endif
};

/// One thread at a time in the Python object, as under the GIL: and let go of while the thread
/// is detached from Python.
class object_lock {
public:
#ifdef Py_GIL_DISABLED
    explicit object_lock(PyObject* of) noexcept {
        call_python([this, of] { PyCriticalSection_Begin(&section_, of); });
    }

    ~object_lock() {
        call_python([this] { PyCriticalSection_End(&section_); });
    }
#else
    explicit object_lock(PyObject*) noexcept {}

    ~object_lock() {} // NOLINT(modernize-use-equals-default): else it is an unused variable
#endif
    object_lock(const object_lock&) = delete;
    object_lock& operator=(const object_lock&) = delete;

#ifdef Py_GIL_DISABLED
private:
    PyCriticalSection section_;
#endif
};

/// The function as what Python calls: for one thread at a time, also without a GIL. It must not be
/// called by what it calls itself.
template<auto Function>
struct locked_call;

template<class Result, class... Arguments, Result (*Function)(PyObject*, Arguments...)>
struct locked_call<Function> {
    static Result call(PyObject* self, Arguments... arguments) {
        const object_lock alone(self);
        return Function(self, arguments...);
    }
};

template<auto Function>
inline constexpr auto one_at_a_time = free_threaded ? &locked_call<Function>::call : Function;

} // namespace bridge::detail
