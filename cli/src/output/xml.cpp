// SPDX-License-Identifier: Apache-2.0
// XML escaping.
#include "output/xml.hpp"

#include <bridge/protocol/text.hpp>

namespace bridge::cli {

namespace {

bool is_forbidden(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1)
        return first == 0x7F || (first < 0x20 && first != '\n' && first != '\t');
    // U+0080..U+009F are legal but discouraged; U+FFFE and U+FFFF are not characters.
    const bool is_c1 =
        sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
    return is_c1 || sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF";
}

std::string_view reference_for(char character, bool is_attribute) {
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;"; // which also splits "]]>"
    case '"':
        return is_attribute ? "&quot;" : "";
    case '\n':
        return is_attribute ? "&#10;" : "";
    case '\t':
        return is_attribute ? "&#9;" : "";
    default:
        return "";
    }
}

std::string escape(std::string_view bytes, bool is_attribute) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto valid = protocol::utf8_sequence_length(bytes);
        const auto sequence = bytes.substr(0, valid == 0 ? 1 : valid);
        if (valid == 0 || is_forbidden(sequence)) {
            for (char byte : sequence)
                text += protocol::escape_byte(static_cast<unsigned char>(byte));
        } else {
            const auto reference = reference_for(sequence[0], is_attribute);
            text += reference.empty() ? sequence : reference;
        }
        bytes.remove_prefix(sequence.size());
    }
    return text;
}

} // namespace

std::string xml_text(std::string_view bytes) {
    return escape(bytes, false);
}

std::string xml_attribute(std::string_view bytes) {
    return escape(bytes, true);
}

} // namespace bridge::cli
