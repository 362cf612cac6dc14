// SPDX-License-Identifier: Apache-2.0
// Defining tests.
#pragma once

#include <bridge/bridge.hpp>

#include <bridge/harness/detail/fixture.hpp>
#include <bridge/harness/options.hpp>
#include <bridge/harness/values.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>

/// BRIDGE_TEST(name, timeout(5s), tags("net")) { co_await ...; }
/// A test that runs as a task of a fresh Python loop, its body an awaitable<void> on the default
/// runtime, without the GIL. Options in any order. A body without co_await ends with co_return;
/// one that has neither does not compile ("no return statement"). Its id is `suite.name`.
#define BRIDGE_TEST(name, ...)                                                                     \
    BRIDGE_HARNESS_TEST(on_loop, ::boost::asio::awaitable<void>, BRIDGE_HARNESS_NO_FIXTURE, (),    \
                        name, __VA_ARGS__)

/// BRIDGE_TEST_F(fixture, name, options...) { ... }
/// The same with a fixture: the body is a member of a class derived from it, made for this test
/// alone. If the fixture has set_up() or tear_down(), coroutines or plain functions, they run in
/// the test's task before and after the body. tear_down() runs whenever set_up() has succeeded:
/// after a failure, a time-out and a cancellation, too. If the fixture has set_up_suite() or
/// tear_down_suite(), static and as above, they run once for the tests of that fixture that one
/// process runs in a row, which then share one event loop.
#define BRIDGE_TEST_F(fixture, name, ...)                                                          \
    BRIDGE_HARNESS_TEST(on_loop, ::boost::asio::awaitable<void>, fixture, (), name, __VA_ARGS__)

/// BRIDGE_TEST_P(name, (int number, std::string text), values{{1, "a"}, {2, "b"}}, options...) {}
/// A test for each of the values, which are the body's arguments and stand in the id:
/// `suite.name/1,a`. Also values(range), and named("text", arguments...) for one of them.
#define BRIDGE_TEST_P(name, parameters, ...)                                                       \
    BRIDGE_HARNESS_TEST(on_loop, ::boost::asio::awaitable<void>, BRIDGE_HARNESS_NO_FIXTURE,        \
                        parameters, name, __VA_ARGS__)

/// The same with a fixture.
#define BRIDGE_TEST_FP(fixture, name, parameters, ...)                                             \
    BRIDGE_HARNESS_TEST(on_loop, ::boost::asio::awaitable<void>, fixture, parameters, name,        \
                        __VA_ARGS__)

/// BRIDGE_TEST_SYNC(name, options...) { ... }
/// A test whose body is a plain function on a thread of its own, without the GIL, while the loop
/// runs: it may block, and current_locals() is that loop.
#define BRIDGE_TEST_SYNC(name, ...)                                                                \
    BRIDGE_HARNESS_TEST(on_thread, void, BRIDGE_HARNESS_NO_FIXTURE, (), name, __VA_ARGS__)

/// The same with a fixture.
#define BRIDGE_TEST_SYNC_F(fixture, name, ...)                                                     \
    BRIDGE_HARNESS_TEST(on_thread, void, fixture, (), name, __VA_ARGS__)

/// BRIDGE_TEST_MAIN_THREAD(name, options...) { ... }
/// A test whose body is a plain function on the main thread, with the GIL, while no loop runs: it
/// may run one itself. It cannot be cancelled: at its time-out the process ends.
#define BRIDGE_TEST_MAIN_THREAD(name, ...)                                                         \
    BRIDGE_HARNESS_TEST(on_main_thread, void, BRIDGE_HARNESS_NO_FIXTURE, (), name, __VA_ARGS__)

/// BRIDGE_TEST_PY(name, R"(async def test(): ...)", options...)
/// A test in Python: the text defines a function `test`, async or not, which runs in the test's
/// task. unittest.SkipTest skips it.
#define BRIDGE_TEST_PY(name, text, ...)                                                            \
    BRIDGE_HARNESS_PYTHON(BRIDGE_HARNESS_NO_FIXTURE, name, text, __VA_ARGS__)

/// The same with a fixture. What its provide(py::dict) puts in by name, the function takes as
/// parameters of these names: R"(async def test(port): ...)".
#define BRIDGE_TEST_PY_F(fixture, name, text, ...)                                                 \
    BRIDGE_HARNESS_PYTHON(fixture, name, text, __VA_ARGS__)

/// BRIDGE_SUITE("name", options...) at namespace scope: the suite of this file's tests, else the
/// file's stem; and what they say unless they say otherwise.
#define BRIDGE_SUITE(name, ...)                                                                    \
    static ::bridge::harness::detail::suite_definition bridge_suite_of_this_file(                  \
        name, __FILE__, BRIDGE_HARNESS_OPTIONS(__VA_ARGS__));

#define BRIDGE_HARNESS_NO_FIXTURE ::bridge::harness::detail::no_fixture

// The directives are in a lambda, so that options need no prefix and the file gets no names.
#define BRIDGE_HARNESS_OPTIONS(...)                                                                \
    [](::bridge::harness::test_options& bridge_options) {                                          \
        using namespace ::bridge::harness;                                                         \
        using namespace ::std::chrono_literals;                                                    \
        ::bridge::harness::detail::apply_all(bridge_options __VA_OPT__(, ) __VA_ARGS__);           \
    }

#define BRIDGE_HARNESS_VALUE_OPTIONS(traits, ...)                                                  \
    [](::bridge::harness::test_options& bridge_options) {                                          \
        using namespace ::bridge::harness;                                                         \
        using namespace ::std::chrono_literals;                                                    \
        using values [[maybe_unused]] = traits::values;                                            \
        ::bridge::harness::detail::apply_all(bridge_options __VA_OPT__(, ) __VA_ARGS__);           \
    }

// A body that is not a coroutine would run off its end: an error here, whatever the warnings are.
#define BRIDGE_HARNESS_TEST(place, result, fixture, parameters, name, ...)                         \
    _Pragma("GCC diagnostic error \"-Wreturn-type\"") namespace {                                  \
        struct bridge_test_##name final : fixture {                                                \
            result bridge_body parameters;                                                         \
        };                                                                                         \
    }                                                                                              \
    static ::bridge::harness::detail::definition bridge_definition_##name(                         \
        #name, __FILE__, __LINE__, ::bridge::harness::detail::place<bridge_test_##name>,           \
        ::bridge::harness::detail::fixture_of<bridge_test_##name, fixture>,                        \
        ::bridge::harness::detail::traits_of<bridge_test_##name>::has_parameters,                  \
        BRIDGE_HARNESS_VALUE_OPTIONS(::bridge::harness::detail::traits_of<bridge_test_##name>,     \
                                     __VA_ARGS__));                                                \
    result bridge_test_##name::bridge_body parameters

#define BRIDGE_HARNESS_PYTHON(fixture, name, text, ...)                                            \
    static ::bridge::harness::detail::definition bridge_definition_##name(                         \
        #name, __FILE__, __LINE__, ::bridge::harness::detail::test_body{.python = text},           \
        ::bridge::harness::detail::fixture_of<fixture>, false,                                     \
        BRIDGE_HARNESS_OPTIONS(__VA_ARGS__));
