// SPDX-License-Identifier: Apache-2.0
// GMock's matchers in a test.
#include <bridge/harness/gmock.hpp>
#include <bridge/harness/harness.hpp>

#include <string>
#include <vector>

BRIDGE_TEST(gmock_matchers) {
    using namespace testing;
    BRIDGE_CHECK_THAT((std::vector{1, 2, 3}), ElementsAre(1, Gt(1), 3));
    BRIDGE_REQUIRE_THAT(std::string("a text"), HasSubstr("text"));
    co_return;
}
