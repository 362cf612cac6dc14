// SPDX-License-Identifier: Apache-2.0
// Why a program could not be started.
#pragma once

#include <string>
#include <system_error>

namespace bridge::cli {

/// Why starting `program` failed, and what to do about it, if that is known.
std::string explain_start(const std::system_error& error, const std::string& program);

} // namespace bridge::cli
