// SPDX-License-Identifier: Apache-2.0
// XML text: well-formed whatever the bytes are.
#include "output/xml.hpp"

#include "check.hpp"

namespace {

using namespace std::string_literals;
using bridge::cli::xml_attribute;
using bridge::cli::xml_text;

TEST("mark-up is escaped, in attributes the quotes too") {
    CHECK(xml_text("a<b>&\"c'") == "a&lt;b&gt;&amp;\"c'");
    CHECK(xml_attribute("a<b>&\"c'") == "a&lt;b&gt;&amp;&quot;c'");
    CHECK(xml_text("]]>") == "]]&gt;");
    CHECK(xml_text("&amp;") == "&amp;amp;");
}

TEST("line ends and tabs stay in text and are references in attributes") {
    CHECK(xml_text("a\n\tb") == "a\n\tb");
    CHECK(xml_attribute("a\n\tb") == "a&#10;&#9;b");
}

TEST("what XML forbids is written as bytes") {
    CHECK(xml_text("\0\x01\x1b[31m\r\x7F"s) == "\\x00\\x01\\x1b[31m\\x0d\\x7f");
    CHECK(xml_text("\xEF\xBF\xBE\xEF\xBF\xBF") == "\\xef\\xbf\\xbe\\xef\\xbf\\xbf");
    CHECK(xml_text("\xC2\x85") == "\\xc2\\x85");
}

TEST("bytes that are not UTF-8 are written as bytes, valid text stays") {
    CHECK(xml_text("\xC3\xA9\xFF\xF0\x9F\x98\x80") == "\xC3\xA9\\xff\xF0\x9F\x98\x80");
    CHECK(xml_text("\xC2\xA0") == "\xC2\xA0");
    CHECK(xml_text("\xED\xA0\x80") == "\\xed\\xa0\\x80");
    CHECK(xml_text("\xEF\xBF\xBD") == "\xEF\xBF\xBD");
}

TEST("no text is no text") {
    CHECK(xml_text("").empty() && xml_attribute("").empty());
}

} // namespace

int main() {
    return check::run();
}
