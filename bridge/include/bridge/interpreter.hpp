// SPDX-License-Identifier: Apache-2.0
// An embedded Python for programs whose main is C++.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge {

/// Python, from construction to destruction, on the thread that makes it, which should be the main
/// thread: only there Python handles signals. Uses the virtual environment of VIRTUAL_ENV if one
/// is active. Destroyed: ends the default runtime's work with a deadline, then finalizes Python.
/// One at a time; a second one may follow.
class interpreter {
public:
    interpreter() : interpreter(0, nullptr) {}

    /// The arguments become sys.argv.
    /// Throws: std::runtime_error if Python cannot start, with the reason, or is running already.
    interpreter(int argc, const char* const* argv);

    interpreter(const interpreter&) = delete;
    interpreter& operator=(const interpreter&) = delete;
    ~interpreter();
};

} // namespace bridge
