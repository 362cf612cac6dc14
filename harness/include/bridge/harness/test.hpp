// SPDX-License-Identifier: Apache-2.0
// Defining tests.
#pragma once

#include <bridge/bridge.hpp>

#include <bridge/harness/detail/definition.hpp>
#include <bridge/harness/options.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>

/// BRIDGE_TEST(name, timeout(5s), tags("net")) { co_await ...; }
/// A test that runs as a task of a fresh Python loop, its body an awaitable<void> on the default
/// runtime, without the GIL. Options in any order. A body without co_await ends with co_return;
/// one that has neither does not compile ("no return statement"). Its id is `suite.name`.
#define BRIDGE_TEST(name, ...)                                                                     \
    BRIDGE_HARNESS_TEST(name, ::boost::asio::awaitable<void> __VA_OPT__(, ) __VA_ARGS__)

/// BRIDGE_TEST_SYNC(name, options...) { ... }
/// A test whose body is a plain function on a thread of its own, without the GIL, while the loop
/// runs: it may block, and current_locals() is that loop.
#define BRIDGE_TEST_SYNC(name, ...) BRIDGE_HARNESS_TEST(name, void __VA_OPT__(, ) __VA_ARGS__)

/// BRIDGE_SUITE("name") at namespace scope: the suite of this file's tests, else the file's stem.
#define BRIDGE_SUITE(name)                                                                         \
    static ::bridge::harness::detail::suite_definition bridge_suite_of_this_file(name, __FILE__);

// A body that is not a coroutine would run off its end: an error here, whatever the warnings are.
// The directives are in a lambda, so that options need no prefix and the file gets no names.
#define BRIDGE_HARNESS_TEST(name, result, ...)                                                     \
    _Pragma("GCC diagnostic error \"-Wreturn-type\"") static result bridge_test_body_##name();     \
    static ::bridge::harness::detail::definition bridge_test_##name(                               \
        #name, __FILE__, __LINE__, &bridge_test_body_##name, [] {                                  \
            using namespace ::bridge::harness;                                                     \
            using namespace ::std::chrono_literals;                                                \
            return ::bridge::harness::detail::make_options(__VA_ARGS__);                           \
        });                                                                                        \
    static result bridge_test_body_##name()
