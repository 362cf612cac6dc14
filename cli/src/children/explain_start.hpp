// SPDX-License-Identifier: Apache-2.0
// Why a program could not be started.
#pragma once

#include <string>
#include <system_error>

namespace bridge::cli {

/// Why starting `program` failed, and what to do about it, if that is known.
std::string explain_start(const std::system_error& error, const std::string& program);

/// Whether the system may have what was asked for when something else has ended.
bool is_shortage(const std::system_error& error);

} // namespace bridge::cli
