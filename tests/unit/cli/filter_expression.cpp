// SPDX-License-Identifier: Apache-2.0
// The language of --filter: what fits, and where an error is said to be.
#include "filter/filter_expression.hpp"

#include <optional>

#include "check.hpp"

namespace {

using namespace bridge::cli;
using bridge::protocol::outcome;

struct given {
    bridge::protocol::test_info info;
    std::optional<remembered> last;
};

given http_get() {
    given one;
    one.info.id = "http.get@uvloop";
    one.info.suite = "http";
    one.info.name = "get";
    one.info.tags = {"net", "two words"};
    one.last = remembered{outcome::timed_out, false, {}};
    return one;
}

bool fits(const std::string& expression, const given& test = http_get()) {
    const auto parsed = filter_expression::parse(expression);
    return parsed.fits({test.info, "network", test.last ? &*test.last : nullptr});
}

// "position: message", or nothing if the expression is one.
std::string why_not(const std::string& expression) {
    try {
        filter_expression::parse(expression);
    } catch (const expression_error& error) {
        return std::to_string(error.position()) + ": " + error.what();
    }
    return {};
}

TEST("a word is a part of the id, or a glob of it") {
    CHECK(fits("ttp.g") && !fits("HTTP") && fits("http.*") && !fits("http.?") && fits("*@uvloop"));
}

TEST("a key asks for one thing, as a whole or by a glob") {
    CHECK(fits("name:get") && !fits("name:ge") && fits("name:g*"));
    CHECK(fits("suite:http") && !fits("suite:htt") && fits("tag:net") && !fits("tag:ne"));
    CHECK(fits("binary:network") && fits("binary:net*") && !fits("binary:net"));
    CHECK(fits("host:uvloop") && !fits("host:uv") && !fits("host:get"));
}

TEST("a status is how the test last ended") {
    CHECK(fits("status:failed") && fits("status:timed_out") && !fits("status:crashed"));
    CHECK(!fits("status:passed") && !fits("status:new") && !fits("status:flaky"));
    auto test = http_get();
    test.last = remembered{outcome::passed, true, {}};
    CHECK(fits("status:passed", test) && fits("status:flaky", test));
    test.last.reset();
    CHECK(fits("status:new", test) && !fits("status:passed", test) && !fits("status:failed", test));
}

TEST("and binds more than or, not more than and, parentheses most") {
    CHECK(fits("http or x and x"));
    CHECK(!fits("(http or x) and x"));
    CHECK(!fits("not http or x") && fits("not (x or y)") && fits("not not http"));
    CHECK(fits("not x and http") && !fits("not (x or http)"));
    CHECK(fits("x or y or http") && !fits("http and get and x"));
    CHECK(fits("  http\tand\n(get)  ") && fits("not(x)and(http)"));
}

TEST("a quoted text may be anything else") {
    CHECK(fits("tag:'two words'") && fits("tag:\"two words\"") && !fits("'and'"));
    CHECK(why_not("\"a:b\" or 'say \"x\"' or '('").empty());
    CHECK(why_not("android or notes or orange").empty());
}

TEST("an error is told at its place") {
    CHECK(why_not("") == "0: the expression is empty: write a text, a glob or key:value");
    CHECK(why_not("   ").starts_with("3: the expression is empty"));
    CHECK(why_not("a and") == "5: a condition is missing at the end");
    CHECK(why_not("a and and b") == "6: a condition is missing before this");
    CHECK(why_not("a or )") == "5: a condition is missing before this");
    CHECK(why_not("or a") == "0: a condition is missing before this");
    CHECK(why_not("not") == "3: a condition is missing at the end");
    CHECK(why_not("a b") == "2: 'and' or 'or' is missing here");
    CHECK(why_not("(a b)") == "3: 'and', 'or' or ')' is missing here");
    CHECK(why_not("a and (b or c") == "6: this '(' is not closed");
    CHECK(why_not("a)") == "1: there is no '(' that this closes");
    CHECK(why_not("()") == "1: a condition is missing before this");
}

TEST("a key or status that is none is told with the near name") {
    CHECK(
        why_not("a and tagg:net") ==
        "6: there is no key 'tagg'; did you mean 'tag'?; keys are name, suite, tag, host, binary, "
        "status; quote a text that has a ':'");
    CHECK(why_not("status:pased")
              .starts_with(
                  "7: there is no status 'pased'; did you mean 'passed'?; one is passed, failed"));
    CHECK(why_not("tag:") == "4: a value is missing after the ':'");
    CHECK(why_not("tag: net") == "4: a value is missing after the ':'");
}

TEST("quotation marks are closed, at the begin, and not around nothing") {
    CHECK(why_not("a or 'b") == "5: this quotation mark is not closed");
    CHECK(why_not("tag:\"b") == "4: this quotation mark is not closed");
    CHECK(why_not("a'b'").starts_with("1: a quotation mark stands at the begin"));
    CHECK(why_not("'a'b") == "3: a space is missing after the quoted text");
    CHECK(why_not("''") == "0: the quoted text is empty");
}

TEST("nesting has an end") {
    const std::string deep(5'000, '(');
    CHECK(why_not(deep).starts_with("100: nested deeper than 100 levels"));
    std::string many = "not ";
    for (int i = 0; i < 1'000; ++i)
        many += "not ";
    CHECK(why_not(many + "a").find("nested deeper") != std::string::npos);
    CHECK(why_not(std::string(90, '(') + "a" + std::string(90, ')')).empty());
}

TEST("the caret is below the place, on a terminal too") {
    const std::string text = "\xE4\xB8\xAD\xE6\x96\x87 or \x01 )"; // two wide characters
    const expression_error error("wrong", text.find(')'));
    CHECK(error.explain(text) == "wrong\n  \xE4\xB8\xAD\xE6\x96\x87 or \\x01 )\n" +
                                     std::string(2 + 4 + 4 + 4 + 1, ' ') + "^");
}

} // namespace

int main() {
    return check::run();
}
