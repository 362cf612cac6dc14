// SPDX-License-Identifier: Apache-2.0
// Matchers of other frameworks inside of a body.
#include <bridge/harness/harness.hpp>

#ifdef BRIDGE_TEST_WITH_GMOCK
#    include <bridge/harness/gmock.hpp>
#endif
#ifdef BRIDGE_TEST_WITH_CATCH2
#    define CATCH_CONFIG_RUNNER
#    define CATCH_CONFIG_PREFIX_ALL
#    include <catch2/catch.hpp>
#endif

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace asio = boost::asio;

namespace {

[[maybe_unused]] asio::awaitable<std::vector<int>> numbers() {
    co_return std::vector{1, 2, 3};
}

} // namespace

#ifdef BRIDGE_TEST_WITH_GMOCK
BRIDGE_TEST(gmock_matches) {
    using namespace testing;
    BRIDGE_CHECK_THAT(co_await numbers(), ElementsAre(1, Gt(1), 3));
    BRIDGE_REQUIRE_THAT("a text", HasSubstr("text"));
    BRIDGE_CHECK_THAT(5, AllOf(Ge(1), Lt(6)));
}

BRIDGE_TEST(gmock_does_not_match) {
    using namespace testing;
    BRIDGE_CHECK_THAT(co_await numbers(), ElementsAre(1, Gt(2), 3));
    BRIDGE_REQUIRE_THAT(std::string("a text"), StartsWith("b"));
    BRIDGE_FAIL("never reached");
}
#endif

#ifdef BRIDGE_TEST_WITH_CATCH2
BRIDGE_TEST(catch2_matches) {
    BRIDGE_CHECK_THAT(std::string("a text"), Catch::Contains("text") && Catch::StartsWith("a"));
    BRIDGE_CHECK_THAT(co_await numbers(), Catch::VectorContains(2));
}

BRIDGE_TEST(catch2_does_not_match) {
    BRIDGE_CHECK_THAT(co_await numbers(), Catch::VectorContains(4));
    BRIDGE_REQUIRE_THAT(std::string("a text"), Catch::StartsWith("b"));
    BRIDGE_FAIL("never reached");
}
#endif
