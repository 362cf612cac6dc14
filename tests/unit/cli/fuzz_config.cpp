// SPDX-License-Identifier: Apache-2.0
// Random bytes and damaged files: each is read or refused at a line of the text.
// Arguments: seed and number of inputs.
#include "config.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "error.hpp"

namespace {

using namespace bridge::cli;

constexpr const char* valid[] = {
    "[profile.default]\njobs = 3\ntimeout = \"1m\"\ntag = [\"net\", \"db\"]\n",
    "[profile.ci]\nno-capture = true\n[[profile.ci.overrides]]\nfilter = \"tag:net and not a\"\n"
    "retries = 2\nserial = \"port\"\n",
    "profile.x.color = 'never'\nprofile.default.overrides = [{filter = 'a', timeout = 5}]\n",
};

constexpr const char* pieces[] = {"[",
                                  "]",
                                  "[[",
                                  "]]",
                                  "=",
                                  "\n",
                                  "\"",
                                  "'",
                                  "\"\"\"",
                                  "jobs",
                                  "profile",
                                  ".",
                                  ",",
                                  "{",
                                  "}",
                                  "1",
                                  "-1",
                                  "1e9",
                                  "nan",
                                  "true",
                                  "#",
                                  "filter",
                                  "\xFF",
                                  "\\u",
                                  "overrides",
                                  "0x1F",
                                  "\t",
                                  "1979-05-27",
                                  "99999999999999999999",
                                  "\xE4\xB8\xAD"};

class inputs {
public:
    explicit inputs(unsigned seed) : random_(seed) {}

    std::string next() {
        if (below(8) == 0)
            return bytes();
        std::string text = below(4) == 0 ? "" : valid[below(std::size(valid))];
        for (auto count = 1 + below(5); count > 0; --count)
            damage(text);
        return text;
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string bytes() {
        std::string text(below(60), '\0');
        for (auto& one : text)
            one = static_cast<char>(below(256));
        return text;
    }

    void damage(std::string& text) {
        const auto at = below(text.size() + 1);
        if (below(3) == 0)
            text.erase(at, 1 + below(4));
        else if (below(3) == 0 && !text.empty())
            text[below(text.size())] = static_cast<char>(below(256));
        else
            text.insert(at, pieces[below(std::size(pieces))]);
    }

    std::mt19937 random_;
};

// False for an error of another kind, or without a line that the text has.
bool holds(const std::string& text, long& accepted) {
    try {
        parse_configuration(text, "t");
        ++accepted;
        return true;
    } catch (const expected_error& error) {
        const std::string said = error.what();
        char* end = nullptr;
        const auto line = said.starts_with("t:") ? std::strtol(said.c_str() + 2, &end, 10) : 0;
        const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
        return line >= 1 && line <= lines && *end == ':';
    }
}

} // namespace

int main(int argc, char** argv) {
    const auto seed = static_cast<unsigned>(argc > 1 ? std::atol(argv[1]) : 1);
    const long count = argc > 2 ? std::atol(argv[2]) : 20'000;
    inputs all(seed);
    long accepted = 0;
    for (long i = 0; i < count; ++i) {
        const auto text = all.next();
        if (!holds(text, accepted)) {
            std::fprintf(stderr, "input %ld of seed %u: '%s'\n", i, seed, text.c_str());
            return 1;
        }
    }
    std::printf("%ld inputs of seed %u, %ld accepted\n", count, seed, accepted);
    // Nearly all refused, or nearly none, would test only half of the reader.
    return accepted > count / 100 ? 0 : 1;
}
