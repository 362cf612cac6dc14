// SPDX-License-Identifier: Apache-2.0
// Errors of the user's world: a text to print and the exit code that goes with it.
#pragma once

#include <stdexcept>
#include <string>

#include "base/exit_code.hpp"

namespace bridge::cli {

/// Ends the program with `code` after `what()` was printed; never a bug of ours.
class expected_error : public std::runtime_error {
public:
    expected_error(exit_code code, const std::string& text)
        : std::runtime_error(text), code_(code) {}

    exit_code code() const noexcept { return code_; }

private:
    exit_code code_;
};

/// A report that could not be written; the run goes on.
class report_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace bridge::cli
