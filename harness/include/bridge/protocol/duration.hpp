// SPDX-License-Identifier: Apache-2.0
// Durations as they are typed (`500ms`, `5s`, `2m`, `1h`, `1.5` = seconds) and passed on.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bridge::protocol {

/// Reads a duration greater than zero, rounded up to a millisecond; nothing if it is not one.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// A form that parse_duration reads back: whole seconds as `5s`, all else as `1500ms`.
std::string format_duration(std::chrono::milliseconds value);

} // namespace bridge::protocol
