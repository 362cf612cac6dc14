// SPDX-License-Identifier: Apache-2.0
// Beginning something when the interpreter is about to end.
#pragma once

#include <bridge/detail/shared.hpp>

#include <cxxabi.h>
#include <unistd.h>

namespace bridge::detail {

[[noreturn]] void stay_for_ever() noexcept;

/// For what would begin once the exit hook runs: throws interpreter_gone on the thread that ends
/// the interpreter; any other stays here for ever. Requires the GIL.
void refuse_at_exit();

/// Where the exit hook has begun, any thread but the one that ends the interpreter stays here for
/// ever: whatever it was about to look at has been settled behind its back. Requires the GIL.
inline void stay_at_exit() noexcept {
    if (const auto* ends = shared().exit_thread.load(std::memory_order_relaxed);
        ends != nullptr && ends != &this_thread())
        stay_for_ever();
}

/// A call that runs Python code of the user's. A daemon thread that CPython ends in there, when the
/// interpreter has gone, stays for ever instead: its way out leads through C++ frames which may not
/// be left so, or whose destructors would use Python. (What unwinds there has no object, which the
/// sanitizer does not know.)
template<class Call>
[[gnu::no_sanitize("undefined")]] auto call_python(const Call& call) {
#ifdef __GLIBCXX__
    try {
        return call();
    } catch (const abi::__forced_unwind&) {
        for (;;)
            ::pause();
    }
#else
    return call();
#endif
}

} // namespace bridge::detail
