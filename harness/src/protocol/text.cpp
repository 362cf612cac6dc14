// SPDX-License-Identifier: Apache-2.0
// UTF-8 validation (Unicode 15, table 3-7) and escaping.
#include <bridge/protocol/text.hpp>

#include <algorithm>

namespace bridge::protocol {

namespace {

struct sequence_rule {
    unsigned char first_min, first_max;
    std::size_t length;
    unsigned char second_min, second_max;
};

constexpr sequence_rule rules[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

bool is_between(char byte, unsigned char low, unsigned char high) noexcept {
    const auto value = static_cast<unsigned char>(byte);
    return low <= value && value <= high;
}

bool matches(const sequence_rule& rule, std::string_view bytes) noexcept {
    if (!is_between(bytes[0], rule.first_min, rule.first_max) || bytes.size() < rule.length)
        return false;
    if (rule.length > 1 && !is_between(bytes[1], rule.second_min, rule.second_max))
        return false;
    for (std::size_t i = 2; i < rule.length; ++i)
        if (!is_between(bytes[i], 0x80, 0xBF))
            return false;
    return true;
}

} // namespace

std::size_t utf8_sequence_length(std::string_view bytes) noexcept {
    if (bytes.empty())
        return 0;
    for (const auto& rule : rules)
        if (matches(rule, bytes))
            return rule.length;
    return 0;
}

std::string escape_byte(unsigned char byte) {
    constexpr char digits[] = "0123456789abcdef";
    return {'\\', 'x', digits[byte >> 4], digits[byte & 0xF]};
}

std::string to_valid_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    const auto is_ascii = [](char byte) { return (byte & 0x80) == 0; };
    while (!bytes.empty()) {
        const auto* const end = std::find_if_not(bytes.begin(), bytes.end(), is_ascii);
        text.append(bytes.begin(), end);
        bytes.remove_prefix(static_cast<std::size_t>(end - bytes.begin()));
        if (bytes.empty())
            break;
        const auto length = utf8_sequence_length(bytes);
        if (length == 0)
            text += escape_byte(static_cast<unsigned char>(bytes[0]));
        else
            text += bytes.substr(0, length);
        bytes.remove_prefix(length == 0 ? 1 : length);
    }
    return text;
}

} // namespace bridge::protocol
