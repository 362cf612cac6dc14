// SPDX-License-Identifier: Apache-2.0
// What must not compile of a test: each `refused:` text is said of the line that it stands above.
#include <bridge/harness/harness.hpp>

namespace asio = boost::asio;

struct set_up_in_full {
    void set_up() {}

    asio::awaitable<void> tear_down() { co_return; }

    void provide(pybind11::dict) {}

    static void set_up_suite() {}

    static void tear_down_suite() {}
};

class inherits : public set_up_in_full {
protected:
    inherits() = default;
};

BRIDGE_TEST_F(set_up_in_full, has_a_whole_fixture) {
    co_return;
}

BRIDGE_TEST_F(inherits, has_what_the_base_has) {
    co_return;
}

BRIDGE_TEST(is_for_two_loops, bridge::harness::loops("asyncio", "uvloop")) {
    co_return;
}

const std::vector<int> numbers{1, 2};

BRIDGE_TEST_P(has_rows, (int number, std::string text), values{{1, "a"}, named("two", 2, "b")}) {
    co_return;
}

BRIDGE_TEST_P(has_a_range, (int number), values{numbers}) {
    co_return;
}

#ifndef ONLY_ALLOWED

class private_set_up {
    void set_up() {}
};

struct set_up_with_parameter {
    void set_up(int) {}
};

struct tear_down_with_parameter {
    void tear_down(int) {}
};

struct provides_a_number {
    void provide(int) {}
};

struct set_up_suite_of_object {
    void set_up_suite() {}
};

struct tear_down_suite_of_object {
    void tear_down_suite() {}
};

class set_up_of_another_framework {
public:
    void SetUp() {}
};

class tear_down_of_another_framework {
protected:
    void TearDown() {}
};

struct made_from_a_number {
    explicit made_from_a_number(int) {}
};

// refused: set_up of a fixture is public and has no parameters
BRIDGE_TEST_F(private_set_up, a) {
    co_return;
}

// refused: set_up of a fixture is public and has no parameters
BRIDGE_TEST_F(set_up_with_parameter, b) {
    co_return;
}

// refused: tear_down of a fixture is public and has no parameters
BRIDGE_TEST_F(tear_down_with_parameter, c) {
    co_return;
}

// refused: provide of a fixture is public and takes a pybind11::dict
BRIDGE_TEST_F(provides_a_number, d) {
    co_return;
}

// refused: set_up_suite of a fixture is public and static, and has no parameters
BRIDGE_TEST_F(set_up_suite_of_object, e) {
    co_return;
}

// refused: tear_down_suite of a fixture is public and static, and has no parameters
BRIDGE_TEST_F(tear_down_suite_of_object, f) {
    co_return;
}

// refused: what runs before a test is called set_up here, not SetUp
BRIDGE_TEST_F(set_up_of_another_framework, g) {
    co_return;
}

// refused: what runs after a test is called tear_down here, not TearDown
BRIDGE_TEST_F(tear_down_of_another_framework, h) {
    co_return;
}

// refused: a fixture has a constructor without parameters
BRIDGE_TEST_F(made_from_a_number, i) {
    co_return;
}

// refused: each row of values{...} has as many values as the test has parameters
BRIDGE_TEST_P(k, (int number, std::string text), values{{1, "a"}, {2}}) {
    co_return;
}

// refused: each row of values{...} has as many values as the test has parameters
BRIDGE_TEST_P(l, (int number, std::string text), values{{1, "a", 2}}) {
    co_return;
}

// refused: each row of values{...} has as many values as the test has parameters
BRIDGE_TEST_P(m, (int number), values{{1, 2}}) {
    co_return;
}

// refused: each row of values{...} has as many values as the test has parameters
BRIDGE_TEST_P(n, (int number, std::string text), values{named("one", 1)}) {
    co_return;
}

// refused: each row of values{...} has as many values as the test has parameters
BRIDGE_TEST_P(o, (int number, std::string text), values{"a", "b"}) {
    co_return;
}

// refused: name at least one loop
BRIDGE_TEST(j, bridge::harness::loops()) {
    co_return;
}

#endif
