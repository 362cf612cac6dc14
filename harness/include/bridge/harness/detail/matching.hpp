// SPDX-License-Identifier: Apache-2.0
// What a matcher makes of a value. Those of Catch2 are known by their shape;
// <bridge/harness/gmock.hpp> adds GMock's.
#pragma once

#include <bridge/harness/describe.hpp>
#include <bridge/harness/detail/decompose.hpp>

#include <concepts>
#include <string>

namespace bridge::harness::detail {

template<class M, class V>
concept catch_matcher = requires(const M& matcher, const V& value) {
    { matcher.match(value) } -> std::convertible_to<bool>;
    { matcher.toString() } -> std::convertible_to<std::string>;
};

/// "value contains: "x"".
template<class V, catch_matcher<V> M>
judgement match(const V& value, const M& matcher) {
    if (matcher.match(value))
        return {true, {}};
    return {false, describe(value) + " " + std::string(matcher.toString())};
}

} // namespace bridge::harness::detail
