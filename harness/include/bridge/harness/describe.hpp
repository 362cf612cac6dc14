// SPDX-License-Identifier: Apache-2.0
// Any value as text, for the message of a failed check.
#pragma once

#include <bridge/gil.hpp>
#include <bridge/py_ref.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <ostream>
#include <ranges>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bridge::harness {

template<class T>
std::string describe(const T& value);

namespace detail {

template<class T>
concept python_object = std::same_as<T, py_ref> || std::derived_from<T, py::handle>;

template<class T>
concept text_like = std::convertible_to<const T&, std::string_view> && !python_object<T>;

template<class T>
concept printable = requires(std::ostream& to, const T& value) {
    to << value;
};

template<class T>
concept printable_range = std::ranges::input_range<const T>;

template<class T>
inline constexpr bool is_tuple = false;

template<class First, class Second>
inline constexpr bool is_tuple<std::pair<First, Second>> = true;

template<class First, class... Rest>
inline constexpr bool is_tuple<std::tuple<First, Rest...>> = true;

template<class T>
inline constexpr bool is_optional = false;

template<class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// In quotes, with line ends and the like escaped.
std::string quote(std::string_view text);

/// repr(); takes the GIL.
std::string python_repr(py::handle object);

inline py::handle handle_of(const py_ref& object) noexcept {
    return object.handle();
}

inline py::handle handle_of(py::handle object) noexcept {
    return object;
}

template<class T>
std::string describe_range(const T& values) {
    constexpr std::size_t most = 32;
    std::string text = "[";
    std::size_t count = 0;
    for (const auto& one : values) {
        if (count++ > 0)
            text += ", ";
        if (count > most)
            return text + "...]";
        text += describe(one);
    }
    return text + "]";
}

template<class T>
std::string describe_tuple(const T& value) {
    const auto join = [](const auto& first, const auto&... rest) {
        return describe(first) + (std::string() + ... + (", " + describe(rest)));
    };
    return "(" + std::apply(join, value) + ")";
}

template<class T>
std::string describe_stream(const T& value) {
    std::ostringstream text;
    if constexpr (std::floating_point<T>)
        text.precision(17);
    text << value;
    return text.str();
}

} // namespace detail

/// The value as text: strings quoted, Python objects by repr(), ranges in brackets, everything else
/// by operator<<, and {?} if there is none.
/// GIL: taken for Python objects.
template<class T>
std::string describe(const T& value) {
    if constexpr (std::same_as<T, bool>)
        return value ? "true" : "false";
    else if constexpr (std::same_as<T, std::nullptr_t>)
        return "nullptr";
    else if constexpr (std::same_as<T, const char*> || std::same_as<T, char*>)
        return value != nullptr ? detail::quote(value) : "nullptr";
    else if constexpr (detail::python_object<T>)
        return detail::python_repr(detail::handle_of(value));
    else if constexpr (detail::text_like<T>)
        return detail::quote(std::string_view(value));
    else if constexpr (detail::is_optional<T>)
        return value ? describe(*value) : "nullopt";
    else if constexpr (detail::is_tuple<T>)
        return detail::describe_tuple(value);
    else if constexpr (detail::printable<T>)
        return detail::describe_stream(value);
    else if constexpr (std::is_enum_v<T>)
        return describe(+static_cast<std::underlying_type_t<T>>(value));
    else if constexpr (detail::printable_range<T>)
        return detail::describe_range(value);
    else
        return "{?}";
}

} // namespace bridge::harness
