// SPDX-License-Identifier: Apache-2.0
// Colours, widths and what of a test's output may reach a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <bridge/protocol/outcome.hpp>

namespace bridge::cli {

enum class color { none, red, green, yellow, magenta, cyan, bold, dim };

struct style {
    bool has_color = false;

    /// The text in that colour, or as it is.
    std::string paint(color with, std::string_view text) const;
};

color color_of(protocol::outcome result);

/// "PASS", "FAIL", "SKIP", "TIMEOUT", "CRASH", "NOT RUN".
std::string_view label_of(protocol::outcome result);

/// Valid UTF-8 without control characters that could confuse a terminal: colours are kept or
/// dropped as `keep_colors` says, all else is written as `\xNN`.
std::string printable(std::string_view bytes, bool keep_colors);

/// The same on one line and without colours, as an id in a list: what ends or moves a line is
/// written as `\n`, `\r`, `\t`.
std::string one_line(std::string_view bytes);

/// At most `columns` columns of a terminal, "..." at the end if there were more.
std::string shorten(std::string_view text, std::size_t columns);

/// `text` as one word of a POSIX shell.
std::string shell_quote(std::string_view text);

} // namespace bridge::cli
