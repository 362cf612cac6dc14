// SPDX-License-Identifier: Apache-2.0
// A parser by recursive descent: or < and < not < term.
#include "filter/filter_expression.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/text.hpp>

#include "base/near_name.hpp"
#include "output/style.hpp"
#include "output/width.hpp"

namespace bridge::cli {

namespace {

constexpr int deepest = 100;
constexpr std::string_view space = " \t\r\n";

bool ends_word(char byte) {
    return space.find(byte) != std::string_view::npos || byte == '(' || byte == ')';
}

std::size_t columns(std::string_view text) {
    std::size_t sum = 0;
    while (!text.empty()) {
        const auto length = std::max<std::size_t>(1, protocol::utf8_sequence_length(text));
        sum += columns_of(text.substr(0, length));
        text.remove_prefix(length);
    }
    return sum;
}

} // namespace

std::string expression_error::explain(std::string_view text) const {
    const auto before = printable(text.substr(0, position_), false);
    return fmt::format("{}\n  {}\n  {:>{}}", what(), printable(text, false), '^',
                       columns(before) + 1);
}

class expression_parser {
public:
    explicit expression_parser(std::string_view text) : text_(text) {}

    std::vector<filter_expression::node> parse() {
        skip_space();
        if (is_at_end())
            fail("the expression is empty: write a text, a glob or key:value");
        parse_any_of();
        if (!is_at_end())
            fail(text_[at_] == ')' ? "there is no '(' that this closes"
                                   : "'and' or 'or' is missing here");
        return std::move(nodes_);
    }

private:
    using node = filter_expression::node;
    using kind = filter_expression::kind;

    [[noreturn]] void fail(const std::string& what) const { throw expression_error(what, at_); }

    bool is_at_end() const { return at_ == text_.size(); }

    void skip_space() { at_ = std::min(text_.find_first_not_of(space, at_), text_.size()); }

    std::string_view peek_word() const {
        auto end = at_;
        while (end < text_.size() && !ends_word(text_[end]))
            ++end;
        return text_.substr(at_, end - at_);
    }

    bool take(std::string_view token) {
        const bool is_there = token == "(" || token == ")" ? text_.substr(at_).starts_with(token)
                                                           : peek_word() == token;
        if (is_there) {
            at_ += token.size();
            skip_space();
        }
        return is_there;
    }

    std::size_t add(node one) {
        nodes_.push_back(std::move(one));
        return nodes_.size() - 1;
    }

    template<class Operand>
    std::size_t parse_chain(std::string_view word, kind what, Operand parse_operand) {
        std::vector<std::size_t> operands{parse_operand()};
        while (take(word))
            operands.push_back(parse_operand());
        return operands.size() == 1 ? operands.front() : add({what, {}, std::move(operands)});
    }

    std::size_t parse_any_of() {
        return parse_chain("or", kind::any_of, [this] { return parse_all_of(); });
    }

    std::size_t parse_all_of() {
        return parse_chain("and", kind::all_of, [this] { return parse_unary(); });
    }

    std::size_t parse_unary() {
        if (++depth_ > deepest)
            fail(fmt::format("nested deeper than {} levels", deepest));
        const auto place = parse_nested();
        --depth_;
        return place;
    }

    std::size_t parse_nested() {
        if (take("not"))
            return add({kind::none_of, {}, {parse_unary()}});
        const auto opened = at_;
        if (!take("("))
            return parse_term();
        const auto inside = parse_any_of();
        if (is_at_end()) {
            at_ = opened;
            fail("this '(' is not closed");
        }
        if (!take(")"))
            fail("'and', 'or' or ')' is missing here");
        return inside;
    }

    std::size_t parse_term() {
        const auto word = peek_word();
        if (word.empty() || word == "and" || word == "or")
            fail(is_at_end() ? "a condition is missing at the end"
                             : "a condition is missing before this");
        auto key = filter_term::key::id;
        if (const auto colon = word.find_first_of(":\"'");
            colon != std::string_view::npos && word[colon] == ':') {
            key = parse_key(word.substr(0, colon));
            at_ += colon + 1;
        }
        const auto value_at = at_;
        filter_term term(key, parse_value());
        if (key == filter_term::key::status)
            require_status(value_at);
        skip_space();
        return add({kind::term, std::move(term), {}});
    }

    filter_term::key parse_key(std::string_view name) const {
        const auto key = find_key(name);
        if (!key)
            fail(fmt::format("there is no key '{}'{}; keys are {}; quote a text that has a ':'",
                             printable(name, false), suggest(name, key_names()),
                             fmt::join(key_names(), ", ")));
        return *key;
    }

    std::string parse_value() {
        if (!is_at_end() && (text_[at_] == '"' || text_[at_] == '\''))
            return value_ = parse_quoted();
        value_ = peek_word();
        if (value_.empty())
            fail("a value is missing after the ':'");
        if (const auto quote = value_.find_first_of("\"'"); quote != std::string::npos) {
            at_ += quote;
            fail("a quotation mark stands at the begin of a text; quote the whole of it");
        }
        at_ += value_.size();
        return value_;
    }

    std::string parse_quoted() {
        const auto end = text_.find(text_[at_], at_ + 1);
        if (end == std::string_view::npos)
            fail("this quotation mark is not closed");
        std::string value(text_.substr(at_ + 1, end - at_ - 1));
        if (value.empty())
            fail("the quoted text is empty");
        at_ = end + 1;
        if (!is_at_end() && !ends_word(text_[at_]))
            fail("a space is missing after the quoted text");
        return value;
    }

    void require_status(std::size_t value_at) {
        const auto why = why_no_status(value_);
        if (why.empty())
            return;
        at_ = value_at;
        fail(why);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    std::string value_; ///< the last
    std::vector<node> nodes_;
};

filter_expression filter_expression::parse(std::string_view text) {
    filter_expression result;
    result.nodes_ = expression_parser(text).parse();
    return result;
}

bool filter_expression::fits(const candidate& test) const {
    return fits(nodes_.size() - 1, test);
}

bool filter_expression::fits(std::size_t place, const candidate& test) const {
    const auto& one = nodes_[place];
    const auto holds = [&](std::size_t operand) { return fits(operand, test); };
    switch (one.what) {
    case kind::all_of:
        return std::all_of(one.operands.begin(), one.operands.end(), holds);
    case kind::any_of:
        return std::any_of(one.operands.begin(), one.operands.end(), holds);
    case kind::none_of:
        return !holds(one.operands.front());
    case kind::term:
        break;
    }
    return one.term.fits(test);
}

} // namespace bridge::cli
