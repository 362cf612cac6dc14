// SPDX-License-Identifier: Apache-2.0
// The values that a test runs with, one test for each.
#pragma once

#include <bridge/harness/describe.hpp>
#include <bridge/harness/options.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace bridge::harness {
namespace detail {

template<class... A>
struct named_value {
    std::string name;
    std::tuple<A...> arguments;
};

template<class T>
concept has_text = text_like<T> || is_optional<T> || is_tuple<T> || printable<T> ||
    std::is_enum_v<T> || printable_range<T>;

template<class... P>
class value_row;

/// The value as a part of an id, not encoded yet.
template<class T>
std::string id_text(const T& value) {
    static_assert(!python_object<T>, "values are made before Python is there");
    static_assert(has_text<T>, "a value of this test has no text for its id: give its type an "
                               "operator<<(std::ostream&, ...), or write named(\"text\", value)");
    if constexpr (text_like<T>)
        return std::string(std::string_view(value));
    else
        return describe(value);
}

#define BRIDGE_HARNESS_ROW_LENGTH                                                                  \
    "each row of values{...} has as many values as the test has parameters: values{{1, \"a\"}, "   \
    "{2, "                                                                                         \
    "\"b\"}} for (int number, std::string text)"

template<class T>
inline constexpr bool is_value_row = false;
template<class... A>
inline constexpr bool is_value_row<named_value<A...>> = true;
template<class... P>
inline constexpr bool is_value_row<value_row<P...>> = true;

/// Whether these are values of a row of another length: no range of rows, nor a whole row.
template<std::size_t Length, class... A>
inline constexpr bool is_wrong_row = sizeof...(A) != Length && sizeof...(A) > 1;
template<std::size_t Length, class A>
inline constexpr bool is_wrong_row<Length, A> =
    Length != 1 && !is_value_row<std::remove_cvref_t<A>> &&
    (text_like<std::remove_cvref_t<A>> || !std::ranges::range<A>);

/// The arguments of one run of a test's body.
template<class... P>
class value_row {
public:
    template<class... A>

    requires(sizeof...(A) == sizeof...(P) && (std::convertible_to<A, P> && ...))
        value_row(A&&... arguments)
        : value_(std::make_shared<std::tuple<P...>>(std::forward<A>(arguments)...)) {
        std::apply(
            [this](const auto& first, const auto&... rest) {
                text_ = id_text(first);
                ((text_ += ',', text_ += id_text(rest)), ...);
            },
            *value_);
    }

    template<class... A>

    requires(sizeof...(A) == sizeof...(P) && (std::convertible_to<A, P> && ...))
        value_row(named_value<A...> named)
        : text_(std::move(named.name)),
          value_(std::make_shared<std::tuple<P...>>(std::move(named.arguments))) {}

    template<class... A>

    requires(is_wrong_row<sizeof...(P), A...>) value_row(A&&...) {
        static_assert(is_wrong_row<sizeof...(P), A...> == 0, BRIDGE_HARNESS_ROW_LENGTH);
    }

    template<class... A>

    requires(sizeof...(A) != sizeof...(P)) value_row(named_value<A...>) {
        static_assert(sizeof...(A) == sizeof...(P), BRIDGE_HARNESS_ROW_LENGTH);
    }

    test_value erase() const { return {text_, value_}; }

private:
    std::string text_;
    std::shared_ptr<std::tuple<P...>> value_;
};

#undef BRIDGE_HARNESS_ROW_LENGTH

/// What `values` names among the options of a test with these parameters.
template<class... P>
class parameter_values {
public:
    parameter_values(std::initializer_list<value_row<P...>> rows) { add(rows); }

    template<std::ranges::input_range R>
    requires std::constructible_from<value_row<P...>, std::ranges::range_reference_t<const R>>

    explicit parameter_values(const R& rows) { add(rows); }

    const std::vector<test_value>& rows() const noexcept { return rows_; }

private:
    template<class R>
    void add(const R& rows) {
        for (const auto& one : rows)
            rows_.push_back(value_row<P...>(one).erase());
    }

    std::vector<test_value> rows_;
};

/// Of tests that have no parameters.
template<>
class parameter_values<> {};

template<class... P>
void apply(test_options& to, const parameter_values<P...>& option) {
    static_assert(sizeof...(P) > 0, "values are for BRIDGE_TEST_P");
    to.values.insert(to.values.end(), option.rows().begin(), option.rows().end());
}

} // namespace detail

/// Arguments with a text of their own for the test's id: values{named("empty", ""), "a", "b"}.
template<class... A>
auto named(std::string_view text, A&&... arguments) {
    return detail::named_value<std::decay_t<A>...>{std::string(text),
                                                   {std::forward<A>(arguments)...}};
}

} // namespace bridge::harness
