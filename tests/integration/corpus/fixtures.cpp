// SPDX-License-Identifier: Apache-2.0
// Fixtures that go wrong, and tests that say of themselves that they do.
#include "corpus.hpp"

#include <cstdlib>
#include <stdexcept>

using namespace corpus;

namespace {

struct throws_in_set_up {
    asio::awaitable<void> set_up() {
        co_await turn();
        throw std::runtime_error("no database");
    }
};

struct throws_in_tear_down {
    asio::awaitable<void> tear_down() {
        co_await turn();
        throw std::runtime_error("cannot drop the tables");
    }
};

struct throws_in_its_constructor {
    throws_in_its_constructor() { throw std::runtime_error("no memory for it"); }
};

struct hangs_in_tear_down {
    asio::awaitable<void> tear_down() { co_await corpus::sleep(1h); }
};

struct crashes_in_tear_down {
    void tear_down() { std::abort(); }
};

struct says_when_it_ends {
    void tear_down() { BRIDGE_INFO("torn down"); }
};

} // namespace

BRIDGE_TEST_F(throws_in_set_up, is_not_set_up) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_F(throws_in_tear_down, is_not_torn_down) {
    co_await turn();
}

BRIDGE_TEST_F(throws_in_tear_down, fails_and_is_not_torn_down) {
    co_await turn();
    BRIDGE_CHECK(1 == 2);
}

BRIDGE_TEST_F(throws_in_its_constructor, is_not_made) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_F(hangs_in_tear_down, hangs_after_its_body, timeout(300ms)) {
    co_await turn();
}

BRIDGE_TEST_F(crashes_in_tear_down, crashes_after_its_body) {
    co_await turn();
}

BRIDGE_TEST_F(says_when_it_ends, hangs_and_is_torn_down, timeout(300ms)) {
    co_await corpus::sleep(1h);
}

BRIDGE_TEST_P(has_a_hostile_value, (std::string text), values{"a;b [c] \"d\" $e `f` %g\n@"}) {
    BRIDGE_CHECK(text.empty());
    co_return;
}

BRIDGE_TEST_PY(is_no_python, "async def test(:")

BRIDGE_TEST(fails_as_it_should, xfail("issue 12")) {
    BRIDGE_CHECK(1 == 2);
    co_return;
}

BRIDGE_TEST(passes_though_it_should_fail, xfail("issue 13")) {
    co_return;
}

BRIDGE_TEST(crashes_though_it_may_fail, may_fail("issue 14")) {
    co_await turn();
    std::abort();
}

BRIDGE_TEST(is_not_for_here, skip_if([] { return true; }, "not here")) {
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST(is_for_one_loop, loops("same-thread")) {
    BRIDGE_CHECK(bridge::harness::current().loop == "");
    co_return;
}
