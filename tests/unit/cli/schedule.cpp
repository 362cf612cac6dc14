// SPDX-License-Identifier: Apache-2.0
// The queue: order, groups, serial tests, slots.
#include "run/schedule.hpp"

#include <memory>

#include "check.hpp"

namespace {

using namespace bridge::cli;
using std::chrono::milliseconds;
using places = std::vector<std::size_t>;

const test_binary binaries[2];

planned_test named(const std::string& group = "", bool is_serial = false, unsigned slots = 1) {
    planned_test plan;
    plan.test.binary = &binaries[0];
    plan.group = group;
    plan.is_serial = is_serial;
    plan.slots = slots;
    return plan;
}

planned_test lasting(milliseconds time) {
    auto plan = named();
    plan.expected = time;
    return plan;
}

planned_test in_second_binary() {
    auto plan = named();
    plan.test.binary = &binaries[1];
    return plan;
}

// Whatever may start at once.
places take_all(schedule& from) {
    places taken;
    while (const auto one = from.take())
        taken.push_back(*one);
    return taken;
}

// One after the other.
places drain(schedule& from) {
    places taken;
    while (const auto one = from.take()) {
        taken.push_back(*one);
        from.end(*one);
    }
    return taken;
}

TEST("one at a time keeps the order, whatever took how long") {
    const std::vector<planned_test> tests{lasting(milliseconds(1)), lasting(milliseconds(9'000))};
    schedule queue(tests, 1, false);
    CHECK(drain(queue) == places({0, 1}));
}

TEST("several at a time begin with the longest, unknown ones before them, alike in order") {
    const std::vector<planned_test> tests{lasting(milliseconds(10)), lasting(milliseconds(900)),
                                          lasting(milliseconds(90)), named(),
                                          lasting(milliseconds(9'000))};
    schedule queue(tests, 8, false);
    CHECK(take_all(queue) == places({3, 4, 1, 0, 2}));
}

TEST("no more start than there are slots") {
    const std::vector<planned_test> tests(5, named());
    schedule queue(tests, 2, false);
    CHECK(take_all(queue) == places({0, 1}));
    queue.end(0);
    CHECK(take_all(queue) == places({2}));
    CHECK(!queue.is_idle());
}

TEST("of a group only one runs, and others overtake") {
    const std::vector<planned_test> tests{named("a"), named("a"), named("b"), named("a"), named()};
    schedule queue(tests, 8, false);
    CHECK(take_all(queue) == places({0, 2, 4}));
    queue.end(4);
    CHECK(take_all(queue).empty());
    queue.end(0);
    CHECK(take_all(queue) == places({1}));
    queue.end(2);
    queue.end(1);
    CHECK(take_all(queue) == places({3}));
    queue.end(3);
    CHECK(queue.is_idle() && !queue.take());
}

TEST("a serial test waits for all and all wait for it") {
    const std::vector<planned_test> tests{named("", true), named(), named("", true), named()};
    schedule queue(tests, 4, false);
    CHECK(take_all(queue) == places({1, 3}));
    queue.end(1);
    CHECK(take_all(queue).empty());
    queue.end(3);
    CHECK(take_all(queue) == places({0}));
    queue.put_first(1);
    CHECK(take_all(queue).empty());
    queue.end(0);
    CHECK(take_all(queue) == places({1}));
}

TEST("a test of several slots is not overtaken, and is let in where it is larger than all") {
    const std::vector<planned_test> tests{named(), named("", false, 3), named(),
                                          named("", false, 99)};
    schedule queue(tests, 3, false);
    CHECK(take_all(queue) == places({0}));
    queue.end(0);
    CHECK(take_all(queue) == places({1}));
    queue.end(1);
    CHECK(take_all(queue) == places({2}));
    queue.end(2);
    CHECK(take_all(queue) == places({3}));
}

TEST("what waits again comes first or last") {
    const std::vector<planned_test> tests(3, named());
    schedule queue(tests, 1, false);
    const auto first = queue.take();
    queue.end(*first);
    queue.put_last(*first);
    const auto second = queue.take();
    queue.end(*second);
    queue.put_first(*second);
    CHECK(drain(queue) == places({1, 2, 0}));
}

TEST("by binary, the tests of one stay together") {
    const std::vector<planned_test> tests{named(), in_second_binary(), named(), in_second_binary()};
    schedule apart(tests, 8, false);
    schedule together(tests, 8, true);
    CHECK(take_all(apart) == places({0, 1, 2, 3}));
    CHECK(take_all(together) == places({0, 2, 1, 3}));
}

TEST("what waits can be taken to be given up, in a group too") {
    const std::vector<planned_test> tests{named("a"), named("a"), named()};
    schedule queue(tests, 8, false);
    CHECK(take_all(queue).size() == 2);
    CHECK(queue.take_any() == std::size_t{1});
    CHECK(!queue.take_any());
}

} // namespace

int main() {
    return check::run();
}
