// SPDX-License-Identifier: Apache-2.0
// Selection of tests.
#include "select/filter.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "filter/filter_word.hpp"
#include "settings/options.hpp"

namespace bridge::cli {

namespace {

std::string show(std::string_view kind, const std::string& text) {
    return fmt::format("{} '{}'", kind, text);
}

} // namespace

filter::filter(const options& from) : only_failed_(from.only_failed) {
    for (const auto& text : from.filters)
        names_.push_back({show("filter", text), parse_word(show("filter", text), text)});
    for (const auto& text : from.exact)
        names_.push_back({show("--exact", text), exact_id{text}});
    for (const auto& text : from.expressions)
        expressions_.push_back({show("--filter", text), parse_expression("--filter", text)});
    for (const auto& text : from.tags)
        tags_.push_back({show("--tag", text), filter_term(filter_term::key::tag, text)});
    for (const auto& text : from.skip)
        skips_.push_back({show("--skip", text), parse_word(show("--skip", text), text)});
}

bool filter::fits(const word& one, const candidate& test) {
    if (const auto* id = std::get_if<exact_id>(&one.condition))
        return test.test.id == id->text;
    if (const auto* expression = std::get_if<filter_expression>(&one.condition))
        return expression->fits(test);
    return std::get<filter_term>(one.condition).fits(test);
}

bool filter::any_fits(std::vector<word>& words, const candidate& test) {
    bool any = false;
    for (auto& one : words) {
        if (!fits(one, test))
            continue;
        one.is_used = true;
        any = true;
    }
    return any;
}

bool filter::selects(const candidate& test) {
    const bool has_name = any_fits(names_, test) || names_.empty();
    const bool has_expression = any_fits(expressions_, test) || expressions_.empty();
    const bool has_tag = any_fits(tags_, test) || tags_.empty();
    const bool is_skipped = any_fits(skips_, test);
    const bool has_failed = test.last != nullptr && !protocol::is_success(test.last->result);
    return has_name && has_expression && has_tag && !is_skipped && (has_failed || !only_failed_);
}

std::vector<std::string> filter::unused() const {
    std::vector<std::string> texts;
    for (const auto* words : {&names_, &expressions_, &tags_, &skips_})
        for (const auto& one : *words)
            if (!one.is_used)
                texts.push_back(one.shown);
    return texts;
}

std::string filter::describe() const {
    std::vector<std::string> texts;
    for (const auto* words : {&names_, &expressions_, &tags_, &skips_})
        for (const auto& one : *words)
            texts.push_back(one.shown);
    if (only_failed_)
        texts.push_back("--failed");
    return fmt::format("{}", fmt::join(texts, ", "));
}

} // namespace bridge::cli
