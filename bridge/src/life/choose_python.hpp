// SPDX-License-Identifier: Apache-2.0
// Which python an embedded interpreter starts as: where it looks for its modules follows from that.
#pragma once

#include <filesystem>

namespace bridge::detail {

/// The python of VIRTUAL_ENV, else of an environment on PATH that our Python has made, else the one
/// that belongs to the library that we are linked to; empty if none of them is there. Throws
/// std::runtime_error if VIRTUAL_ENV has none.
std::filesystem::path choose_python();

} // namespace bridge::detail
