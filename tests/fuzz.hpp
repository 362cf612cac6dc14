// SPDX-License-Identifier: Apache-2.0
// Inputs for parsers: valid texts that were damaged, and random bytes. The same seed, the same
// ones.
#pragma once

#include <cstddef>
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

} // namespace fuzz
