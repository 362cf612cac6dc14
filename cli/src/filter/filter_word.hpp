// SPDX-License-Identifier: Apache-2.0
// Reading what a user writes as a filter.
#pragma once

#include <string>

#include "filter/filter_expression.hpp"
#include "filter/filter_term.hpp"

namespace bridge::cli {

/// Reads a word as --skip does; `what` begins the error's text. Throws expected_error (usage).
filter_term parse_word(const std::string& what, const std::string& text);

/// Reads `text` as --filter does; `what` begins the error's text. Throws expected_error (usage).
filter_expression parse_expression(const std::string& what, const std::string& text);

} // namespace bridge::cli
