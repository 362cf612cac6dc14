// SPDX-License-Identifier: Apache-2.0
// How a thread gets into Python: by a guard of PEP 788 from CPython 3.15 on, by PyGILState before.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

struct shared_state;

/// One stay of the calling thread in the main interpreter, whose GIL it did not hold before. The
/// thread's state is kept for its next stay.
class interpreter_entry {
public:
    interpreter_entry() = default;
    interpreter_entry(const interpreter_entry&) = delete;
    interpreter_entry& operator=(const interpreter_entry&) = delete;

    /// Takes the GIL; false if the interpreter has gone.
    /// Throws std::bad_alloc.
    bool enter();

    /// Releases the GIL. After enter() has returned true.
    void leave() noexcept;

    /// Python does not wait for this stay when it ends, once forget_all() has been called.
    /// GIL: required.
    void forget(shared_state& in) noexcept;

    /// Ends Python's waiting for the stays that were forgotten. Not in an atfork handler.
    /// GIL: required.
    static void forget_all(shared_state& in) noexcept;

private:
#if PY_VERSION_HEX >= 0x030F0000
    PyInterpreterGuard* guard_ = nullptr; // Python waits for it before it ends
    PyThreadStateToken* token_ = nullptr;
#else
    PyGILState_STATE state_{};
#endif
};

} // namespace bridge::detail
