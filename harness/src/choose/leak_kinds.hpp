// SPDX-License-Identifier: Apache-2.0
// What the patterns of ignore_leaks() begin with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bridge::harness {

/// Nothing if some leak may fit the pattern.
std::optional<std::string> why_no_leak_pattern(std::string_view pattern);

} // namespace bridge::harness
