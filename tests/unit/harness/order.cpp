// SPDX-License-Identifier: Apache-2.0
// Tests that depend on their order and on random numbers; test_order.py runs them.
#include <bridge/harness/harness.hpp>

namespace {

int ran_before = 0;

} // namespace

BRIDGE_TEST(first) {
    ++ran_before;
    co_return;
}

BRIDGE_TEST(second) {
    ++ran_before;
    co_return;
}

// Only right as the first of all that this process runs.
BRIDGE_TEST(wants_to_be_alone) {
    BRIDGE_CHECK(ran_before == 0);
    ++ran_before;
    co_return;
}

BRIDGE_TEST(fails_one_time_in_four) {
    ++ran_before;
    const auto number = bridge::harness::current().random()() % 4;
    BRIDGE_CHECK(number != 0);
    co_return;
}

BRIDGE_TEST_P(has_an_odd_id, (std::string text), values{"it's (odd)"}) {
    BRIDGE_FAIL(text);
    co_return;
}
