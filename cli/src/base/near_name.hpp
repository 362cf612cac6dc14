// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known name that is nearest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bridge::cli {

/// The name at the least edit distance from `typed`; empty when none is near.
std::string near_name(std::string_view typed, const std::vector<std::string>& names);

/// "; did you mean 'x'?" for that one; nothing when none is near.
std::string suggest(std::string_view typed, const std::vector<std::string>& names);

} // namespace bridge::cli
