// SPDX-License-Identifier: Apache-2.0
// Colours and text for terminals.
#include "output/style.hpp"

#include <bridge/protocol/text.hpp>

#include "output/width.hpp"

namespace bridge::cli {

using protocol::outcome;

namespace {

std::string_view code_of(color with) {
    switch (with) {
    case color::red:
        return "31;1";
    case color::green:
        return "32";
    case color::yellow:
        return "33";
    case color::magenta:
        return "35;1";
    case color::cyan:
        return "36";
    case color::bold:
        return "1";
    case color::dim:
        return "2";
    case color::none:
        break;
    }
    return "0";
}

// Length of the colour sequence (ESC [ digits m) that `text` begins with, 0 if none.
std::size_t color_sequence_length(std::string_view text) {
    if (text.substr(0, 2) != "\x1b[")
        return 0;
    const auto end = text.find_first_not_of("0123456789;:", 2);
    return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

bool is_control(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return (value < 0x20 && value != '\n' && value != '\t') || value == 0x7F;
}

// C1 control characters (U+0080 to U+009F), which some terminals obey.
bool is_c1_control(std::string_view sequence) {
    return sequence.size() == 2 && sequence[0] == '\xC2' &&
           static_cast<unsigned char>(sequence[1]) < 0xA0;
}

} // namespace

std::string style::paint(color with, std::string_view text) const {
    if (!has_color || with == color::none)
        return std::string(text);
    return "\x1b[" + std::string(code_of(with)) + "m" + std::string(text) + "\x1b[0m";
}

color color_of(outcome result) {
    switch (result) {
    case outcome::passed:
        return color::green;
    case outcome::skipped:
    case outcome::not_run:
        return color::yellow;
    case outcome::timed_out:
    case outcome::crashed:
        return color::magenta;
    case outcome::failed:
        break;
    }
    return color::red;
}

std::string_view label_of(outcome result) {
    switch (result) {
    case outcome::passed:
        return "PASS";
    case outcome::skipped:
        return "SKIP";
    case outcome::timed_out:
        return "TIMEOUT";
    case outcome::crashed:
        return "CRASH";
    case outcome::not_run:
        return "NOT RUN";
    case outcome::failed:
        break;
    }
    return "FAIL";
}

std::string printable(std::string_view bytes, bool keep_colors) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        std::size_t length = 1;
        if (const auto sequence = color_sequence_length(bytes)) {
            length = sequence;
            if (keep_colors)
                text += bytes.substr(0, length);
        } else if (bytes.substr(0, 2) == "\r\n") {
            length = 1; // the line end alone is enough
        } else if (bytes[0] == '\r') {
            text += '\n';
        } else if (const auto valid = protocol::utf8_sequence_length(bytes);
                   valid == 0 || is_control(bytes[0]) || is_c1_control(bytes.substr(0, valid))) {
            text += protocol::escape_byte(static_cast<unsigned char>(bytes[0]));
        } else {
            length = valid;
            text += bytes.substr(0, length);
        }
        bytes.remove_prefix(length);
    }
    return text;
}

std::string one_line(std::string_view bytes) {
    std::string text;
    for (char one : bytes) {
        if (one == '\n')
            text += "\\n";
        else if (one == '\r')
            text += "\\r";
        else if (one == '\t')
            text += "\\t";
        else
            text += one;
    }
    return printable(text, false);
}

std::string shorten(std::string_view text, std::size_t columns) {
    const std::string_view dots = std::string_view("...").substr(0, columns);
    std::size_t used = 0;
    std::size_t end_before_dots = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto valid = protocol::utf8_sequence_length(text.substr(i));
        const auto sequence = text.substr(i, valid == 0 ? 1 : valid);
        used += columns_of(sequence);
        i += sequence.size();
        if (used + dots.size() <= columns)
            end_before_dots = i;
        if (used > columns)
            return std::string(text.substr(0, end_before_dots)).append(dots);
    }
    return std::string(text);
}

std::string shell_quote(std::string_view text) {
    constexpr auto plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@,+=";
    if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos)
        return std::string(text);
    std::string quoted = "'";
    for (char character : text)
        quoted += character == '\'' ? std::string("'\\''") : std::string(1, character);
    return quoted + "'";
}

} // namespace bridge::cli
