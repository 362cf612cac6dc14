// SPDX-License-Identifier: Apache-2.0
// Levenshtein distance over a list of names.
#include "base/near_name.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bridge::cli {

namespace {

std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const auto replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::string near_name(std::string_view typed, const std::vector<std::string>& names) {
    std::string best;
    // Two slips at most, and never so many that the word is another one.
    std::size_t best_distance = std::min<std::size_t>(2, typed.size() / 3) + 1;
    for (const auto& name : names) {
        const auto distance = edit_distance(typed, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

std::string suggest(std::string_view typed, const std::vector<std::string>& names) {
    const auto near = near_name(typed, names);
    return near.empty() ? "" : "; did you mean '" + near + "'?";
}

} // namespace bridge::cli
