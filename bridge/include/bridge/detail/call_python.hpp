// SPDX-License-Identifier: Apache-2.0
// Running Python code of the user's below C++ frames.
#pragma once

#include <bridge/detail/python_compat.hpp>

#include <cxxabi.h>
#include <unistd.h>

#include <utility>

namespace bridge::detail {

/// A call that runs Python code of the user's. A thread that CPython ends in there (before 3.14),
/// because the interpreter has gone, stays for ever instead: its way out leads through C++ frames
/// which may not be left so, or whose destructors would use Python. (What unwinds there has no
/// object, which the sanitizer does not know.)
template<class Call>
__attribute__((no_sanitize("undefined"))) decltype(auto) call_python(Call&& call) {
#ifdef __GLIBCXX__
    try {
        return std::forward<Call>(call)();
    } catch (const abi::__forced_unwind&) {
        if (holds_gil()) // the thread's own pthread_exit
            throw;
        for (;;)
            ::pause();
    }
#else
    return std::forward<Call>(call)();
#endif
}

} // namespace bridge::detail
