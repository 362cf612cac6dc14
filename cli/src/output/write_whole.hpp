// SPDX-License-Identifier: Apache-2.0
// A write that is not cut short by the end of a child: its signal interrupts a terminal that is
// slow.
#pragma once

#include <string_view>

namespace bridge::cli {

/// Waits until all of it is written; false, with errno, when that cannot be.
bool write_whole(int fd, std::string_view text) noexcept;

} // namespace bridge::cli
