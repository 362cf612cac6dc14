// SPDX-License-Identifier: Apache-2.0
// An embedded Python for programs whose main is C++.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge {

/// Python, from construction to destruction, on the thread that makes it, which should be the main
/// thread: only there Python handles signals. Destroyed: ends the default runtime's work with a
/// deadline, then finalizes Python. One at a time; a second one may follow.
///
/// Its modules are those of the Python that the program is linked to, whichever `python3` is the
/// first on PATH. If VIRTUAL_ENV is set, they are those of that virtual environment; if it is not,
/// and the first `python3` on PATH belongs to an environment that the linked Python has made, that
/// environment's.
class interpreter {
public:
    interpreter() : interpreter(0, nullptr) {}

    /// The arguments become sys.argv. If there is a `python`, it is the path of the program whose
    /// modules are used, in place of those above; it must be of the version that is linked.
    /// Throws: std::runtime_error if Python cannot start, with the reason, or is running already.
    interpreter(int argc, const char* const* argv, const char* python = nullptr);

    interpreter(const interpreter&) = delete;
    interpreter& operator=(const interpreter&) = delete;
    ~interpreter();
};

} // namespace bridge
