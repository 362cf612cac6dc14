// SPDX-License-Identifier: Apache-2.0
// How many columns of a terminal a character takes.
#pragma once

#include <cstddef>
#include <string_view>

namespace bridge::cli {

/// 0 for what combines with the character before it, 2 for what East Asia writes wide and for
/// emoji, else 1. `sequence` is one UTF-8 sequence; a byte of none takes one column.
std::size_t columns_of(std::string_view sequence) noexcept;

} // namespace bridge::cli
