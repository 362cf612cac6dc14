// SPDX-License-Identifier: Apache-2.0
// What to add to a failed comparison whose sides alone do not show it.
#pragma once

#include <bridge/harness/describe.hpp>

#include <cstddef>
#include <iterator>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

namespace bridge::harness::detail {

/// Shorter ranges and texts show their difference themselves.
inline constexpr std::size_t long_range = 8;
inline constexpr std::size_t long_text = 40;

/// Where they differ and what stands there; empty for short texts.
std::string text_difference(std::string_view left, std::string_view right);

/// "; to see it, give T an operator<<(std::ostream&, const T&)".
std::string print_hint(const std::type_info& type);

template<class L, class R>
std::string range_difference(const L& left, const R& right) {
    auto a = std::ranges::begin(left);
    auto b = std::ranges::begin(right);
    std::size_t at = 0;
    while (a != std::ranges::end(left) && b != std::ranges::end(right) && bool(*a == *b)) {
        ++a;
        ++b;
        ++at;
    }
    const bool left_ends = a == std::ranges::end(left);
    const bool right_ends = b == std::ranges::end(right);
    if (left_ends && right_ends)
        return {};
    std::string text = "; first difference at [" + std::to_string(at) + "]: ";
    text += left_ends ? "nothing" : describe(*a);
    text += " and ";
    text += right_ends ? "nothing" : describe(*b);
    const auto sizes = [](std::size_t seen, auto from, const auto& of) {
        return std::to_string(seen +
                              std::size_t(std::ranges::distance(from, std::ranges::end(of))));
    };
    return text + ", of " + sizes(at, a, left) + " and " + sizes(at, b, right) + " elements";
}

template<class T>
concept plain_range = std::ranges::forward_range<const T> && !text_like<T> && !python_object<T>;

/// Of a null pointer: empty.
template<text_like T>
std::string_view view_of(const T& text) {
    if constexpr (std::is_convertible_v<const T&, const char*>) {
        const char* const first = text;
        return first != nullptr ? std::string_view(first) : std::string_view();
    } else {
        return std::string_view(text);
    }
}

/// What `left == right` adds where it is false.
template<class L, class R>
std::string difference(const L& left, const R& right) {
    if constexpr (std::is_null_pointer_v<L> || std::is_null_pointer_v<R>) {
        return {};
    } else if constexpr (text_like<L> && text_like<R>) {
        return text_difference(view_of(left), view_of(right));
    } else if constexpr (plain_range<L> && plain_range<R>) {
        if constexpr (requires { *std::ranges::begin(left) == *std::ranges::begin(right); })
            if (std::size_t(std::ranges::distance(left)) > long_range ||
                std::size_t(std::ranges::distance(right)) > long_range)
                return range_difference(left, right);
        return {};
    } else {
        return {};
    }
}

/// The type, its elements' type and so on that describe() has no text for; null if it has.
template<class T>
const std::type_info* type_without_text() {
    if constexpr (text_like<T> || python_object<T> || printable<T> || is_tuple<T> ||
                  std::is_enum_v<T> || std::is_same_v<T, std::nullptr_t>)
        return nullptr;
    else if constexpr (is_optional<T>)
        return type_without_text<typename T::value_type>();
    else if constexpr (printable_range<T>)
        return type_without_text<std::ranges::range_value_t<const T>>();
    else
        return &typeid(T);
}

template<class L, class R>
std::string hint_for_sides() {
    if (const auto* type = type_without_text<L>())
        return print_hint(*type);
    if (const auto* type = type_without_text<R>())
        return print_hint(*type);
    return {};
}

} // namespace bridge::harness::detail
