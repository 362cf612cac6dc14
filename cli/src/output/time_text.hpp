// SPDX-License-Identifier: Apache-2.0
// Points in time as reports have them: ISO 8601 in UTC, to the second.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bridge::cli {

std::string to_timestamp(std::chrono::system_clock::time_point time);

/// The reverse of to_timestamp; nothing for any other text.
std::optional<std::chrono::system_clock::time_point> parse_timestamp(std::string_view text);

} // namespace bridge::cli
