// SPDX-License-Identifier: Apache-2.0
// Widths by block, after Unicode's East Asian Width: exact enough to keep a line on its line.
#include "output/width.hpp"

namespace bridge::cli {

namespace {

struct range {
    char32_t first, last;
};

constexpr range combining[] = {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
                               {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
                               {0xFE20, 0xFE2F}};

constexpr range wide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
                          {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
                          {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
                          {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

template<std::size_t Size>
bool is_in(const range (&ranges)[Size], char32_t character) noexcept {
    for (const auto& one : ranges)
        if (one.first <= character && character <= one.last)
            return true;
    return false;
}

char32_t decode(std::string_view sequence) noexcept {
    constexpr unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    char32_t character = static_cast<unsigned char>(sequence[0]) & first_bits[sequence.size()];
    for (char byte : sequence.substr(1))
        character = character << 6 | (static_cast<unsigned char>(byte) & 0x3F);
    return character;
}

} // namespace

std::size_t columns_of(std::string_view sequence) noexcept {
    if (sequence.size() < 2 || sequence.size() > 4)
        return sequence.empty() ? 0 : 1;
    const auto character = decode(sequence);
    if (is_in(combining, character))
        return 0;
    return is_in(wide, character) ? 2 : 1;
}

} // namespace bridge::cli
