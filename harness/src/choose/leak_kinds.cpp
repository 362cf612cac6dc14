// SPDX-License-Identifier: Apache-2.0
#include "choose/leak_kinds.hpp"

#include <algorithm>
#include <array>

namespace bridge::harness {
namespace {

// As left_behind.py and those that use it name them.
constexpr std::array<std::string_view, 9> kinds{"task",       "generator", "coroutine",
                                                "native",     "reference", "thread",
                                                "descriptor", "child",     "signal"};

} // namespace

std::optional<std::string> why_no_leak_pattern(std::string_view pattern) {
    const auto kind = pattern.substr(0, pattern.find(':'));
    if (kind.find_first_of("*?[") != kind.npos ||
        std::find(kinds.begin(), kinds.end(), kind) != kinds.end())
        return std::nullopt;
    std::string names;
    for (const auto one : kinds)
        names += (names.empty() ? "" : ", ") + std::string(one);
    return "'" + std::string(kind) + "' is not a kind of leak; the kinds are " + names;
}

} // namespace bridge::harness
