// SPDX-License-Identifier: Apache-2.0
// One test for each kind of check, and for what a test gets from current(); test_written.py knows
// what each must say.
#include "written.hpp"

#include <pybind11/eval.h>

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace harness = bridge::harness;

using harness::current;
using harness::near;
using namespace std::chrono_literals;
using namespace written;

BRIDGE_SUITE("written", timeout(20s), tags("file"), ignore_leaks("task:ignored-*"))

BRIDGE_TEST(waits_until_it_is_so) {
    int looks = 0;
    const auto look = [&looks]() -> asio::awaitable<int> { co_return ++looks; };
    BRIDGE_EVENTUALLY(co_await look() == 3, 10s);
    BRIDGE_CHECK(looks == 3);
}

BRIDGE_TEST(waits_in_vain) {
    int looks = 0;
    BRIDGE_EVENTUALLY(++looks < 0, 20ms);
    BRIDGE_FAIL("never reached");
    co_return;
}

BRIDGE_TEST_SYNC(waits_off_the_loop) {
    std::atomic<bool> is_set = false;
    std::jthread other([&] { is_set = true; });
    BRIDGE_EVENTUALLY_SYNC(is_set.load(), 10s);
    BRIDGE_EVENTUALLY_SYNC(!is_set, 5ms);
}

BRIDGE_TEST(compares_floats) {
    BRIDGE_CHECK(0.1 + 0.2 == near(0.3));
    BRIDGE_CHECK(1.0 == near(1.5, 0.25));
    co_return;
}

BRIDGE_TEST(says_which_iteration) {
    for (int i = 0; i < 3; ++i) {
        BRIDGE_CONTEXT("item ", i, " of ", std::string("three"));
        BRIDGE_CHECK(i != 1);
    }
    BRIDGE_CHECK(1 == 2);
    co_return;
}

BRIDGE_TEST(compares_long_values) {
    std::vector<int> left(100, 1);
    auto right = left;
    right[70] = 2;
    BRIDGE_CHECK(left == right);
    left.resize(90, 1);
    right = left;
    right.push_back(5);
    BRIDGE_CHECK(left == right);
    BRIDGE_CHECK(std::string(200, 'a') == std::string(150, 'a') + "b" + std::string(49, 'a'));
    BRIDGE_CHECK(opaque{1} == opaque{2});
    BRIDGE_CHECK(std::vector<opaque>{{1}} == std::vector<opaque>{{2}});
    co_return;
}

BRIDGE_TEST(has_sub_tests) {
    const auto test = current();
    BRIDGE_CHECK(test.sub_test("passes", [] { BRIDGE_CHECK(1 == 1); }));
    BRIDGE_CHECK(!test.sub_test("requires", [] { BRIDGE_REQUIRE(1 == 2); }));
    BRIDGE_CHECK(!co_await test.sub_test("throws", []() -> asio::awaitable<void> {
        co_await sleep(1ms);
        throw std::runtime_error("thrown in part");
    }));
    BRIDGE_CHECK(test.sub_test("skips", [] { BRIDGE_SKIP("this part"); }));
    throw std::runtime_error("thrown after all parts");
}

BRIDGE_TEST(has_a_folder) {
    const auto folder = current().temporary_folder();
    BRIDGE_CHECK(folder == current().temporary_folder());
    std::ofstream(folder / "file") << "text";
    BRIDGE_INFO(folder.string());
    co_return;
}

BRIDGE_TEST(leaves_artifacts) {
    std::ofstream(current().artifact("logs/log.txt")) << "text";
    current().artifact("never written");
    BRIDGE_CHECK_THROWS(std::invalid_argument, current().artifact("../escapes"));
    BRIDGE_CHECK_THROWS(std::invalid_argument, current().artifact("/absolute"));
    co_return;
}

BRIDGE_TEST(has_random_numbers) {
    BRIDGE_INFO(std::to_string(current().random()()));
    co_return;
}
