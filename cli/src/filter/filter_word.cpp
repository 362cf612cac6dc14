// SPDX-License-Identifier: Apache-2.0
#include "filter/filter_word.hpp"

#include <optional>
#include <utility>

#include "base/error.hpp"

namespace bridge::cli {

// Ids may have colons: without a known key before it, a word is a text.
filter_term parse_word(const std::string& what, const std::string& text) {
    const auto colon = text.find(':');
    const auto key = colon == std::string::npos ? std::nullopt : find_key(text.substr(0, colon));
    if (!key)
        return filter_term(filter_term::key::id, text);
    auto value = text.substr(colon + 1);
    if (*key == filter_term::key::status)
        if (const auto why = why_no_status(value); !why.empty())
            throw expected_error(exit_code::usage, what + ": " + why);
    return filter_term(*key, std::move(value));
}

filter_expression parse_expression(const std::string& what, const std::string& text) {
    try {
        return filter_expression::parse(text);
    } catch (const expression_error& error) {
        throw expected_error(exit_code::usage, what + ": " + error.explain(text));
    }
}

} // namespace bridge::cli
