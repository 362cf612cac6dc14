// SPDX-License-Identifier: Apache-2.0
// What reaches a terminal: colours, control characters, widths, shell words.
#include "output/style.hpp"

#include "check.hpp"

namespace {

using namespace std::string_literals;
using namespace bridge::cli;
using bridge::protocol::outcome;

TEST("paint adds colour only when there is colour") {
    CHECK(style{true}.paint(color::green, "x") == "\x1b[32mx\x1b[0m");
    CHECK(style{false}.paint(color::green, "x") == "x");
    CHECK(style{true}.paint(color::none, "x") == "x");
}

TEST("every outcome has a label, and green is for passing alone") {
    CHECK(label_of(outcome::passed) == "PASS" && label_of(outcome::failed) == "FAIL");
    CHECK(label_of(outcome::skipped) == "SKIP" && label_of(outcome::timed_out) == "TIMEOUT");
    CHECK(label_of(outcome::crashed) == "CRASH" && label_of(outcome::not_run) == "NOT RUN");
    for (auto one : {outcome::failed, outcome::skipped, outcome::timed_out, outcome::crashed,
                     outcome::not_run})
        CHECK(color_of(one) != color::green);
    CHECK(color_of(outcome::passed) == color::green);
}

TEST("printable keeps text and colours, and drops colours when asked to") {
    CHECK(printable("\x1b[1;31mred\x1b[0m \xC3\xA9\n", true) == "\x1b[1;31mred\x1b[0m \xC3\xA9\n");
    CHECK(printable("\x1b[1;31mred\x1b[m", false) == "red");
}

TEST("printable disarms everything else that moves a terminal") {
    CHECK(printable("\x1b[2J", true) == "\\x1b[2J");
    CHECK(printable("\x1b]0;title\x07", true) == "\\x1b]0;title\\x07");
    CHECK(printable("\x1b[31", true) == "\\x1b[31");
    CHECK(printable("\x1b", true) == "\\x1b");
    CHECK(printable("a\bb\x7F\0"s, true) == "a\\x08b\\x7f\\x00");
    CHECK(printable("\xC2\x9B"
                    "2J",
                    true) == "\\xc2\\x9b2J");
}

TEST("printable escapes bytes that are not UTF-8") {
    CHECK(printable("\xFFok\xE2\x82", true) == "\\xffok\\xe2\\x82");
}

TEST("a carriage return begins a new line, with a line end it is one") {
    CHECK(printable("a\r\nb", true) == "a\nb");
    CHECK(printable("10%\r20%\r", true) == "10%\n20%\n");
    CHECK(printable("\r\r\n", true) == "\n\n");
}

TEST("a line stays one line, without colours") {
    CHECK(one_line("a\nb\tc\rd\r\n") == "a\\nb\\tc\\rd\\r\\n");
    CHECK(one_line("\x1b[31mred\x1b[0m\x07\xFF \xC3\xA9") == "red\\x07\\xff \xC3\xA9");
}

TEST("shorten leaves what fits and marks what does not") {
    CHECK(shorten("12345", 5) == "12345");
    CHECK(shorten("123456", 5) == "12...");
    CHECK(shorten("", 0).empty());
}

TEST("shorten counts characters, not bytes, and cuts none in two") {
    CHECK(shorten("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 4) == "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9");
    CHECK(shorten("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 4) == "\xC3\xA9...");
    CHECK(shorten("\xFF\xFF\xFF\xFF", 4) == "\xFF\xFF\xFF\xFF");
}

TEST("a wide character takes two columns, a combining one none") {
    CHECK(shorten("\xE6\x97\xA5\xE6\x9C\xAC", 4) == "\xE6\x97\xA5\xE6\x9C\xAC");
    CHECK(shorten("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 5) == "\xE6\x97\xA5...");
    CHECK(shorten("\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 3) == "...");
    CHECK(shorten("e\xCC\x81xx", 3) == "e\xCC\x81xx");
}

TEST("shorten never gives more columns than there are, however few") {
    CHECK(shorten("12345", 3) == "...");
    CHECK(shorten("12345", 2) == "..");
    CHECK(shorten("12345", 1) == ".");
    CHECK(shorten("12345", 0).empty());
}

TEST("a word for the shell is quoted only where it must be") {
    CHECK(shell_quote("build/dev/http_tests") == "build/dev/http_tests");
    CHECK(shell_quote("") == "''");
    CHECK(shell_quote("a b") == "'a b'");
    CHECK(shell_quote("it's") == "'it'\\''s'");
    CHECK(shell_quote("$HOME;*~!") == "'$HOME;*~!'");
    CHECK(shell_quote("a\nb") == "'a\nb'");
    CHECK(shell_quote("s.n[uvloop]") == "'s.n[uvloop]'");
}

} // namespace

int main() {
    return check::run();
}
