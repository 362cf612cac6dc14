// SPDX-License-Identifier: Apache-2.0
// Selection of tests.
#include "filter.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "options.hpp"

namespace bridge::cli {

filter::filter(const options& from) {
    for (const auto& text : from.filters)
        names_.push_back({"filter", text});
    for (const auto& text : from.exact)
        names_.push_back({"--exact", text});
    for (const auto& text : from.tags)
        tags_.push_back({"--tag", text});
    for (const auto& text : from.skip)
        skips_.push_back({"--skip", text});
}

bool filter::fits(const word& one, const protocol::test_info& test) {
    if (one.kind == "--exact")
        return test.id == one.text;
    if (one.kind == "--tag")
        return std::find(test.tags.begin(), test.tags.end(), one.text) != test.tags.end();
    return test.id.find(one.text) != std::string::npos;
}

bool filter::any_fits(std::vector<word>& words, const protocol::test_info& test) {
    bool any = false;
    for (auto& one : words) {
        if (!fits(one, test))
            continue;
        one.is_used = true;
        any = true;
    }
    return any;
}

bool filter::selects(const protocol::test_info& test) {
    const bool has_name = any_fits(names_, test) || names_.empty();
    const bool has_tag = any_fits(tags_, test) || tags_.empty();
    const bool is_skipped = any_fits(skips_, test);
    return has_name && has_tag && !is_skipped;
}

std::vector<std::string> filter::unused() const {
    std::vector<std::string> texts;
    for (const auto* words : {&names_, &tags_, &skips_})
        for (const auto& one : *words)
            if (!one.is_used)
                texts.push_back(fmt::format("{} '{}'", one.kind, one.text));
    return texts;
}

std::string filter::describe() const {
    std::vector<std::string> texts;
    for (const auto* words : {&names_, &tags_, &skips_})
        for (const auto& one : *words)
            texts.push_back(fmt::format("{} '{}'", one.kind, one.text));
    return fmt::format("{}", fmt::join(texts, ", "));
}

} // namespace bridge::cli
