// SPDX-License-Identifier: Apache-2.0
// Random bytes and damaged expressions: each is parsed or refused at a place inside the text.
// Arguments: seed and number of inputs.
#include "filter/filter_expression.hpp"
#include "fuzz.hpp"

#include <random>

namespace {

using namespace bridge::cli;

constexpr const char* valid[] = {
    "tag:net and not slow",
    "(name:get* or suite:'two words') and not (status:failed or status:new)",
    "not not host:uvloop and binary:\"net?ork\" or x",
    "a or b or c and d and (e or (f and g))",
};

constexpr const char* pieces[] = {
    "(",  ")",    " ",      "and", "or", "not", "tag:", "status:",     "'",
    "\"", "name", "wrong:", ":",   "*",  "\t",  "\xFF", "\xE4\xB8\xAD"};

class inputs {
public:
    explicit inputs(unsigned seed) : random_(seed) {}

    std::string next() {
        switch (below(3)) {
        case 0:
            return bytes();
        case 1:
            return words();
        default:
            return damaged();
        }
    }

    std::size_t below(std::size_t limit) { return random_() % limit; }

private:
    std::string bytes() {
        std::string text(below(40), '\0');
        for (auto& one : text)
            one = static_cast<char>(below(256));
        return text;
    }

    std::string words() {
        std::string text;
        for (auto count = below(30); count > 0; --count)
            text += std::string(pieces[below(std::size(pieces))]) + (below(2) == 0 ? " " : "");
        return text;
    }

    std::string damaged() {
        std::string text = valid[below(std::size(valid))];
        for (auto count = 1 + below(4); count > 0 && !text.empty(); --count) {
            const auto at = below(text.size());
            if (below(2) == 0)
                text.erase(at, 1 + below(3));
            else
                text.insert(at, pieces[below(std::size(pieces))]);
        }
        return text;
    }

    std::mt19937 random_;
};

// False if the error's place is outside the text or its explanation has no caret.
bool holds(const std::string& text, const candidate& test, long& accepted) {
    try {
        filter_expression::parse(text).fits(test);
        ++accepted;
        return true;
    } catch (const expression_error& error) {
        const auto shown = error.explain(text);
        return error.position() <= text.size() && shown.back() == '^' &&
               shown.find('\0') == std::string::npos;
    }
}

} // namespace

int main(int argc, char** argv) {
    bridge::protocol::test_info info;
    info.id = "http.get";
    const candidate test{info, "network"};
    return fuzz::run(
        argc, argv, 100'000, {1.0 / 50}, [](unsigned seed) { return inputs(seed); },
        [&](const std::string& text, long& accepted) { return holds(text, test, accepted); });
}
