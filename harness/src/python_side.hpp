// SPDX-License-Identifier: Apache-2.0
// Python as the tests need it: started once, one fresh loop for each test.
#pragma once

#include <bridge/interpreter.hpp>

#include "command_line.hpp"
#include "test_run.hpp"

#include <optional>

namespace bridge::harness {

/// Owns Python unless the program had started it. Main thread.
class python_side {
public:
    /// Throws usage_error where the loop that was asked for is not installed, std::exception where
    /// Python cannot start.
    explicit python_side(const command_line& options);
    python_side(const python_side&) = delete;
    python_side& operator=(const python_side&) = delete;
    ~python_side();

    /// Runs the body and judges what is left of it; everything is told to the run. Throws
    /// python_error for KeyboardInterrupt.
    void run(test_run& run);

private:
    std::optional<interpreter> python_;
    bool debug_;
    py::object function_;
    py::object loop_factory_;
};

} // namespace bridge::harness
