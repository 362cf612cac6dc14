// SPDX-License-Identifier: Apache-2.0
// Shell patterns of names.
#pragma once

#include <string_view>

namespace bridge::cli {

/// Whether the pattern has a wildcard: `*` or `?`.
bool is_glob(std::string_view pattern) noexcept;

/// Whether the whole text fits: `*` stands for any bytes, `?` for one, all else for itself.
bool glob_fits(std::string_view pattern, std::string_view text) noexcept;

} // namespace bridge::cli
