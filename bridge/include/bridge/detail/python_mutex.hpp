// SPDX-License-Identifier: Apache-2.0
// What the GIL does for free: nothing where there is one.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

#ifdef Py_GIL_DISABLED
inline constexpr bool free_threaded = true;
#else
inline constexpr bool free_threaded = false;
#endif

/// Guards what is otherwise guarded by the GIL alone. A thread that waits for it is detached from
/// Python meanwhile, so that its holder may call Python.
/// GIL: required.
class python_mutex {
public:
    void lock() noexcept {
#ifdef Py_GIL_DISABLED
        PyMutex_Lock(&mutex_);
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

} // namespace bridge::detail
