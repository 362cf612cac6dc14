// SPDX-License-Identifier: Apache-2.0
// UTF-8: the borders of every row of Unicode's table of well-formed sequences.
#include <bridge/protocol/text.hpp>

#include "check.hpp"

namespace {

using namespace std::string_literals;
using bridge::protocol::escape_byte;
using bridge::protocol::to_valid_utf8;
using bridge::protocol::utf8_sequence_length;

TEST("the first and the last of each length are well-formed") {
    CHECK(utf8_sequence_length("\x01") == 1);
    CHECK(utf8_sequence_length("\x7F") == 1);
    CHECK(utf8_sequence_length("\xC2\x80") == 2);
    CHECK(utf8_sequence_length("\xDF\xBF") == 2);
    CHECK(utf8_sequence_length("\xE0\xA0\x80") == 3);
    CHECK(utf8_sequence_length("\xEF\xBF\xBF") == 3);
    CHECK(utf8_sequence_length("\xF0\x90\x80\x80") == 4);
    CHECK(utf8_sequence_length("\xF4\x8F\xBF\xBF") == 4);
}

TEST("both sides of the surrogates are well-formed, surrogates are not") {
    CHECK(utf8_sequence_length("\xED\x9F\xBF") == 3);
    CHECK(utf8_sequence_length("\xED\xA0\x80") == 0);
    CHECK(utf8_sequence_length("\xED\xBF\xBF") == 0);
    CHECK(utf8_sequence_length("\xEE\x80\x80") == 3);
}

TEST("overlong forms are not well-formed") {
    CHECK(utf8_sequence_length("\xC0\x80") == 0);
    CHECK(utf8_sequence_length("\xC1\xBF") == 0);
    CHECK(utf8_sequence_length("\xE0\x9F\xBF") == 0);
    CHECK(utf8_sequence_length("\xF0\x8F\xBF\xBF") == 0);
}

TEST("what is beyond Unicode is not well-formed") {
    CHECK(utf8_sequence_length("\xF4\x90\x80\x80") == 0);
    CHECK(utf8_sequence_length("\xF5\x80\x80\x80") == 0);
    CHECK(utf8_sequence_length("\xFF") == 0);
}

TEST("a cut sequence, a lone continuation and no bytes at all give 0") {
    CHECK(utf8_sequence_length("") == 0);
    CHECK(utf8_sequence_length("\x80") == 0);
    CHECK(utf8_sequence_length("\xC2") == 0);
    CHECK(utf8_sequence_length("\xE2\x82") == 0);
    CHECK(utf8_sequence_length("\xF0\x9F\x98") == 0);
    CHECK(utf8_sequence_length("\xC2\x41") == 0);
    CHECK(utf8_sequence_length("\xE2\x82\x41") == 0);
}

TEST("only the first sequence counts") {
    CHECK(utf8_sequence_length("a\xFF") == 1);
    CHECK(utf8_sequence_length("\xC3\xA9\xFF") == 2);
}

TEST("valid text stays as it is, NUL and control characters too") {
    const auto text = "plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \0\t\r\n\x1b[0m"s;
    CHECK(to_valid_utf8(text) == text);
    CHECK(to_valid_utf8("").empty());
}

TEST("each wrong byte is escaped and the text goes on after it") {
    CHECK(to_valid_utf8("a\xFF\xFE"
                        "b") == "a\\xff\\xfeb");
    CHECK(to_valid_utf8("\xE2\x82") == "\\xe2\\x82");
    CHECK(to_valid_utf8("\xE2\x82\xC3\xA9") == "\\xe2\\x82\xC3\xA9");
    CHECK(to_valid_utf8("\xED\xA0\x80") == "\\xed\\xa0\\x80");
}

TEST("all 256 bytes give valid text") {
    std::string bytes;
    for (int value = 0; value < 256; ++value)
        bytes += static_cast<char>(value);
    const auto text = to_valid_utf8(bytes);
    CHECK(text.size() == 128 + 128 * 4);
    CHECK(to_valid_utf8(text) == text);
}

TEST("a byte is written with two small digits") {
    CHECK(escape_byte(0x00) == "\\x00");
    CHECK(escape_byte(0x0A) == "\\x0a");
    CHECK(escape_byte(0xFF) == "\\xff");
}

} // namespace

int main() {
    return check::run();
}
