// SPDX-License-Identifier: Apache-2.0
// Which types may travel through a coroutine: those that own what they hold and need no GIL.
#pragma once

#include <bridge/detail/python.hpp>

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace bridge::detail {

template<class T>
inline constexpr bool is_character =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

template<class T>
inline constexpr bool is_view = false;
template<class C, class Traits>
inline constexpr bool is_view<std::basic_string_view<C, Traits>> = true;
template<class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;
template<class T>
inline constexpr bool is_view<std::initializer_list<T>> = true;
template<class T>
inline constexpr bool is_view<std::reference_wrapper<T>> = true;

template<class T>
inline constexpr bool is_text_pointer =
    std::is_pointer_v<T>&& is_character<std::remove_cv_t<std::remove_pointer_t<T>>>;

template<class T>
concept has_value_type = requires {
    typename T::value_type;
};

template<class T>
concept has_elements = has_value_type<T> && !std::is_same_v<typename T::value_type, T>;

template<class T>
concept is_tuple_like = requires {
    std::tuple_size<T>::value;
};

template<template<class> class Is, class T, int Depth>
inline constexpr bool is_part = false;

template<template<class> class Is, class Indices, class T, int Depth>
inline constexpr bool is_part_of_tuple = false;
template<template<class> class Is, std::size_t... I, class T, int Depth>
inline constexpr bool is_part_of_tuple<Is, std::index_sequence<I...>, T, Depth> =
    (is_part<Is, std::tuple_element_t<I, T>, Depth> || ...);

template<template<class> class Is, class T, int Depth>
inline constexpr bool is_part_of_variant = false;
template<template<class> class Is, class... A, int Depth>
inline constexpr bool is_part_of_variant<Is, std::variant<A...>, Depth> = (is_part<Is, A, Depth> ||
                                                                           ...);

/// Whether a type, or what its containers and tuples hold, is of the kind. Not deeper than some
/// levels: a type may name itself.
template<template<class> class Is, class T, int Depth>
requires(Depth > 0) inline constexpr bool is_part<Is, T, Depth> = [] {
    using type = std::remove_cvref_t<T>;
    if constexpr (Is<type>::value)
        return true;
    else if constexpr (is_tuple_like<type>)
        return is_part_of_tuple<Is, std::make_index_sequence<std::tuple_size_v<type>>, type,
                                Depth - 1>;
    else if constexpr (has_elements<type>)
        return is_part<Is, typename type::value_type, Depth - 1>;
    else
        return is_part_of_variant<Is, type, Depth - 1>;
}();

template<class T>
struct needs_gil_itself : std::bool_constant<std::is_base_of_v<py::handle, T> ||
                                             std::is_base_of_v<py::error_already_set, T> ||
                                             std::is_same_v<T, PyObject*>> {};

template<class T>
struct is_view_itself : std::bool_constant<is_view<T> || is_text_pointer<T>> {};

template<class T>
struct is_view_or_pointer : std::bool_constant<is_view<T> || std::is_pointer_v<T>> {};

/// pybind11 objects, also in containers: not to be touched without the GIL.
template<class T>
inline constexpr bool needs_gil = is_part<needs_gil_itself, T, 5>;

/// Views, text pointers and references, also in containers: they may outlive what they refer to.
template<class T>
inline constexpr bool is_borrowed = is_part<is_view_itself, T, 5>;

/// The same, and pointers to anything.
template<class T>
inline constexpr bool is_borrowed_or_pointer = is_part<is_view_or_pointer, T, 5>;

} // namespace bridge::detail
