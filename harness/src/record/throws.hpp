// SPDX-License-Identifier: Apache-2.0
// Where C++ exceptions were thrown.
#pragma once

#include <exception>
#include <string>

namespace bridge::harness {

/// Finds the user's line among return addresses, the innermost first, as "FILE:LINE in FUNCTION";
/// empty if there is none. May take seconds.
using line_finder = std::string (*)(void* const* addresses, int count);

/// From now on the last throws of any thread are kept, for this finder.
void note_throws(line_finder finder) noexcept;

/// As "\n  thrown at FILE:LINE in FUNCTION"; empty if it is not known, or so many were asked for
/// that it would take too long.
std::string place_of_throw(const std::exception_ptr& error);

} // namespace bridge::harness
