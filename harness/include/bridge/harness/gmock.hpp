// SPDX-License-Identifier: Apache-2.0
// GMock's matchers in BRIDGE_CHECK_THAT and BRIDGE_REQUIRE_THAT. Link GTest::gmock.
#pragma once

#if __has_include(<gmock/gmock-matchers.h>) // else this header compiles, and says nothing

#    include <gmock/gmock-matchers.h>

#    include <bridge/harness/check.hpp>

#    include <sstream>

namespace bridge::harness::detail {

/// "5 is not what is > 6, which is 1 less than 6".
template<class V, class M>

requires(!catch_matcher<M, V>) judgement match(const V& value, const M& matcher) {
    const auto cast = testing::SafeMatcherCast<const V&>(matcher);
    testing::StringMatchResultListener why;
    if (cast.MatchAndExplain(value, &why))
        return {true, {}};
    std::ostringstream text;
    text << describe(value) << " is not what ";
    cast.DescribeTo(&text);
    if (!why.str().empty())
        text << ", " << why.str();
    return {false, text.str()};
}

} // namespace bridge::harness::detail

#endif
