// SPDX-License-Identifier: Apache-2.0
// The values that a test runs with, one test for each.
#pragma once

#include <bridge/harness/describe.hpp>
#include <bridge/harness/options.hpp>

#include <concepts>
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

    test_value erase() const { return {text_, value_}; }

private:
    std::string text_;
    std::shared_ptr<std::tuple<P...>> value_;
};

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
