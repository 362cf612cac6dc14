// SPDX-License-Identifier: Apache-2.0
// Enumerators and their names, looked up in both directions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace bridge::protocol {

template<class Enum, std::size_t Size>
using name_table = std::array<std::pair<Enum, std::string_view>, Size>;

template<class Enum, std::size_t Size>
constexpr std::string_view name_of(const name_table<Enum, Size>& table, Enum value) noexcept {
    for (const auto& [enumerator, name] : table)
        if (enumerator == value)
            return name;
    return "?";
}

template<class Enum, std::size_t Size>
constexpr std::optional<Enum> value_of(const name_table<Enum, Size>& table,
                                       std::string_view wanted) noexcept {
    for (const auto& [enumerator, name] : table)
        if (name == wanted)
            return enumerator;
    return std::nullopt;
}

} // namespace bridge::protocol
