// SPDX-License-Identifier: Apache-2.0
// Inputs for parsers: valid texts that were damaged, and random bytes. The same seed, the same
// ones.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <string>

namespace fuzz {

using texts = std::span<const char* const>;

class inputs {
public:
    inputs(unsigned seed, texts valid, texts pieces)
        : random_(seed), valid_(valid), pieces_(pieces) {}

    std::string next() {
        if (below(8) == 0)
            return bytes();
        std::string text = below(8) == 0 ? "" : valid_[below(valid_.size())];
        for (auto count = below(6); count > 0; --count)
            damage(text);
        return text;
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string bytes() {
        std::string text(below(80), '\0');
        for (auto& one : text)
            one = static_cast<char>(below(256));
        return text;
    }

    void damage(std::string& text) {
        const auto at = below(text.size() + 1);
        if (below(3) == 0)
            text.erase(at, 1 + below(8));
        else if (below(3) == 0 && !text.empty())
            text[below(text.size())] = static_cast<char>(below(256));
        else
            text.insert(at, pieces_[below(pieces_.size())]);
    }

    std::mt19937 random_;
    texts valid_;
    texts pieces_;
};

/// Which part of the inputs a parser must accept: all refused, or none, would test half of it only.
struct accepted_part {
    double least;
    double most = 1;
};

/// The main of a fuzz program: [seed [count]]. Stops at the first input for which
/// `holds(text, accepted)` is false; it adds what was accepted.
template<class Make, class Holds>
int run(int argc, char** argv, long count, accepted_part part, const Make& make_inputs,
        const Holds& holds) {
    const auto seed = static_cast<unsigned>(argc > 1 ? std::atol(argv[1]) : 1);
    if (argc > 2)
        count = std::atol(argv[2]);
    auto all = make_inputs(seed);
    long accepted = 0;
    for (long i = 0; i < count; ++i) {
        const auto text = all.next();
        if (!holds(text, accepted)) {
            std::fprintf(stderr, "input %ld of seed %u: '%s'\n", i, seed, text.c_str());
            return 1;
        }
    }
    std::printf("%ld inputs of seed %u, %ld accepted\n", count, seed, accepted);
    const auto is = static_cast<double>(accepted) / static_cast<double>(count);
    return is > part.least && is <= part.most ? 0 : 1;
}

} // namespace fuzz
