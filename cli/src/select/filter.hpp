// SPDX-License-Identifier: Apache-2.0
// Which tests are meant, and which words of the user met none.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "filter/filter_expression.hpp"
#include "filter/filter_term.hpp"

namespace bridge::cli {

struct options;

/// A test is selected when any word or exact id fits (or there is none), any expression (or there
/// is none), any tag (or there is none), no skip word, and it failed last if that is asked for.
class filter {
public:
    /// Throws expected_error (usage) for an expression or a word that is none.
    explicit filter(const options& from);

    bool selects(const candidate& test);

    /// Words that fitted no test so far, each as "filter 'x'".
    std::vector<std::string> unused() const;

    /// All of them, for the message that nothing was selected; empty when there are none.
    std::string describe() const;

private:
    struct exact_id {
        std::string text;
    };

    struct word {
        std::string shown;
        std::variant<filter_term, exact_id, filter_expression> condition;
        bool is_used = false;
    };

    static bool fits(const word& one, const candidate& test);
    static bool any_fits(std::vector<word>& words, const candidate& test);

    std::vector<word> names_;
    std::vector<word> expressions_;
    std::vector<word> tags_;
    std::vector<word> skips_;
    bool only_failed_ = false;
};

} // namespace bridge::cli
