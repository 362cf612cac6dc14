// SPDX-License-Identifier: Apache-2.0
// Options of pytest, GoogleTest, CTest, nextest and others, in our words.
#pragma once

#include <string>
#include <string_view>

namespace bridge::cli {

/// "did you mean ...?" or what to do instead, for an option that others have; empty for all else.
std::string our_word_for(std::string_view option);

} // namespace bridge::cli
