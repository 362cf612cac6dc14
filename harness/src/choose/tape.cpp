// SPDX-License-Identifier: Apache-2.0
#include "choose/tape.hpp"

#include <algorithm>
#include <charconv>

namespace bridge::harness {
namespace {

// The number that the text begins with, which is removed; nothing if it is none or zero.
std::optional<unsigned> take_number(std::string_view& text) {
    unsigned number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || number == 0)
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    return number;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c))
        return false;
    text.remove_prefix(1);
    return true;
}

} // namespace

std::optional<tape> tape::parse(std::string_view text) {
    std::vector<choice> choices;
    do {
        const auto draw = take_number(text);
        if (!draw || !take(text, ':'))
            return std::nullopt;
        const auto chosen = take_number(text);
        if (!chosen)
            return std::nullopt;
        choices.push_back({*draw, *chosen});
    } while (take(text, ','));
    if (!text.empty())
        return std::nullopt;
    return tape(std::move(choices));
}

std::string tape::text() const {
    std::string text;
    for (const auto& [draw, chosen] : choices_)
        text += (text.empty() ? "" : ",") + std::to_string(draw) + ":" + std::to_string(chosen);
    return text;
}

unsigned tape::draw(unsigned of) {
    ++drawn_;
    for (const auto& [draw, chosen] : choices_) {
        if (draw != drawn_ || chosen >= of)
            continue;
        ++used_;
        return chosen;
    }
    return 0;
}

bool tape::chooses(unsigned chosen) const noexcept {
    return std::any_of(choices_.begin(), choices_.end(),
                       [chosen](const auto& one) { return one.chosen == chosen; });
}

} // namespace bridge::harness
