// SPDX-License-Identifier: Apache-2.0
// The language of --filter: terms joined by and, or, not and parentheses.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "filter/filter_term.hpp"

namespace bridge::cli {

/// What is wrong with an expression, and where: `position() <= text.size()`.
class expression_error : public std::runtime_error {
public:
    expression_error(const std::string& what, std::size_t position)
        : std::runtime_error(what), position_(position) {}

    std::size_t position() const noexcept { return position_; }

    /// The message, the expression below it, and a caret below the place.
    std::string explain(std::string_view text) const;

private:
    std::size_t position_;
};

class filter_expression {
public:
    /// Throws expression_error.
    static filter_expression parse(std::string_view text);

    bool fits(const candidate& test) const;

private:
    friend class expression_parser;

    enum class kind { term, all_of, any_of, none_of };

    struct node {
        kind what = kind::term;
        filter_term term;
        std::vector<std::size_t> operands; ///< places in nodes_
    };

    bool fits(std::size_t place, const candidate& test) const;

    std::vector<node> nodes_; ///< the last is the whole
};

} // namespace bridge::cli
