// SPDX-License-Identifier: Apache-2.0
// Checks: in any function, thread or coroutine that works for a test; co_await may be inside.
#pragma once

#include <bridge/harness/detail/checking.hpp>
#include <bridge/harness/detail/decompose.hpp>
#include <bridge/harness/detail/matching.hpp>
#include <bridge/harness/detail/patience.hpp>

/// Records a failure if the expression is false, with both sides of a comparison; the test goes on.
/// GIL: taken for Python objects only.
/// Throws: what the expression throws.
#define BRIDGE_CHECK(...) BRIDGE_HARNESS_CHECK("CHECK", false, __VA_ARGS__)

/// The same, and ends the test; `catch (std::exception&)` cannot swallow that.
#define BRIDGE_REQUIRE(...) BRIDGE_HARNESS_CHECK("REQUIRE", true, __VA_ARGS__)

/// Records a failure if the expression does not throw the type (or one derived from it).
#define BRIDGE_CHECK_THROWS(type, ...)                                                             \
    BRIDGE_HARNESS_THROWS("CHECK_THROWS", false, type, __VA_ARGS__)
#define BRIDGE_REQUIRE_THROWS(type, ...)                                                           \
    BRIDGE_HARNESS_THROWS("REQUIRE_THROWS", true, type, __VA_ARGS__)

/// Records a failure if the expression does not raise the Python type: a class as a Python object
/// (PyExc_ValueError) or its name ("ValueError", "asyncio.TimeoutError").
/// GIL: taken.
#define BRIDGE_CHECK_RAISES(type, ...)                                                             \
    BRIDGE_HARNESS_RAISES("CHECK_RAISES", false, type, __VA_ARGS__)
#define BRIDGE_REQUIRE_RAISES(type, ...)                                                           \
    BRIDGE_HARNESS_RAISES("REQUIRE_RAISES", true, type, __VA_ARGS__)

/// BRIDGE_CHECK_THAT(value, matcher): a matcher of Catch2, or of GMock with
/// <bridge/harness/gmock.hpp>.
#define BRIDGE_CHECK_THAT(value, ...) BRIDGE_HARNESS_THAT("CHECK_THAT", false, value, __VA_ARGS__)
#define BRIDGE_REQUIRE_THAT(value, ...)                                                            \
    BRIDGE_HARNESS_THAT("REQUIRE_THAT", true, value, __VA_ARGS__)

/// BRIDGE_EVENTUALLY(expression, 5s): in a coroutine; waits until the expression is true, and ends
/// the test as failed if it is still false after that time. It is evaluated again and again.
#define BRIDGE_EVENTUALLY(expression, within)                                                      \
    BRIDGE_HARNESS_EVENTUALLY("EVENTUALLY", co_await bridge_patience.pause(), expression, within)

/// The same in a plain function; blocks its thread.
#define BRIDGE_EVENTUALLY_SYNC(expression, within)                                                 \
    BRIDGE_HARNESS_EVENTUALLY("EVENTUALLY_SYNC", bridge_patience.pause_thread(), expression, within)

/// BRIDGE_CONTEXT("item ", i, " of ", name): to the end of the block every failure of this test
/// says so, too.
#define BRIDGE_CONTEXT(...)                                                                        \
    const ::bridge::harness::detail::failure_context BRIDGE_HARNESS_JOIN(                          \
        bridge_context_, __LINE__)(::bridge::harness::detail::join_text(__VA_ARGS__))

/// Ends the test: skipped (unless a check has failed before), failed.
#define BRIDGE_SKIP(reason) ::bridge::harness::detail::skip(reason)
#define BRIDGE_FAIL(message) ::bridge::harness::detail::fail(message, __FILE__, __LINE__)

/// A line beside the test's result.
#define BRIDGE_INFO(text) ::bridge::harness::detail::note(text)

#define BRIDGE_HARNESS_SITE(macro, ends, text)                                                     \
    ::bridge::harness::detail::check_site {                                                        \
        macro, text, __FILE__, __LINE__, ends                                                      \
    }

#define BRIDGE_HARNESS_JOIN(a, b) BRIDGE_HARNESS_JOIN_NOW(a, b)
#define BRIDGE_HARNESS_JOIN_NOW(a, b) a##b

#define BRIDGE_HARNESS_THAT(macro, ends, value, ...)                                               \
    ::bridge::harness::detail::check(BRIDGE_HARNESS_SITE(macro, ends, #value ", " #__VA_ARGS__),   \
                                     ::bridge::harness::detail::match(value, __VA_ARGS__))

#define BRIDGE_HARNESS_EVENTUALLY(macro, pause, expression, within)                                \
    do {                                                                                           \
        ::bridge::harness::detail::patience bridge_patience(within);                               \
        for (;;) {                                                                                 \
            _Pragma("GCC diagnostic push")                                                         \
                _Pragma("GCC diagnostic ignored \"-Wparentheses\"") auto bridge_result =           \
                    ::bridge::harness::detail::judge(::bridge::harness::detail::decomposer() <=    \
                                                     expression);                                  \
            _Pragma("GCC diagnostic pop") if (bridge_result.holds || bridge_patience.is_over()) {  \
                ::bridge::harness::detail::check(                                                  \
                    BRIDGE_HARNESS_SITE(macro, true, #expression ", " #within),                    \
                    bridge_patience.end(bridge_result));                                           \
                break;                                                                             \
            }                                                                                      \
            pause;                                                                                 \
        }                                                                                          \
    } while (false)

// `<=` before the expression takes its left side; the compiler sees a comparison of a comparison.
#define BRIDGE_HARNESS_CHECK(macro, ends, ...)                                                     \
    do {                                                                                           \
        _Pragma("GCC diagnostic push")                                                             \
            _Pragma("GCC diagnostic ignored \"-Wparentheses\"")::bridge::harness::detail::check(   \
                BRIDGE_HARNESS_SITE(macro, ends, #__VA_ARGS__),                                    \
                ::bridge::harness::detail::judge(::bridge::harness::detail::decomposer() <=        \
                                                 __VA_ARGS__));                                    \
        _Pragma("GCC diagnostic pop")                                                              \
    } while (false)

#define BRIDGE_HARNESS_THROWS(macro, ends, type, ...)                                              \
    do {                                                                                           \
        ::bridge::harness::detail::thrown bridge_thrown;                                           \
        try {                                                                                      \
            static_cast<void>(__VA_ARGS__);                                                        \
        } catch (const ::bridge::harness::detail::test_stop&) {                                    \
            throw;                                                                                 \
        } catch (const type&) {                                                                    \
            bridge_thrown.matches = true;                                                          \
        } catch (...) {                                                                            \
            bridge_thrown.other = ::std::current_exception();                                      \
        }                                                                                          \
        ::bridge::harness::detail::check_thrown(                                                   \
            BRIDGE_HARNESS_SITE(macro, ends, #type ", " #__VA_ARGS__), bridge_thrown);             \
    } while (false)

#define BRIDGE_HARNESS_RAISES(macro, ends, type, ...)                                              \
    do {                                                                                           \
        ::bridge::harness::detail::thrown bridge_thrown;                                           \
        try {                                                                                      \
            static_cast<void>(__VA_ARGS__);                                                        \
        } catch (const ::bridge::harness::detail::test_stop&) {                                    \
            throw;                                                                                 \
        } catch (...) {                                                                            \
            bridge_thrown.other = ::std::current_exception();                                      \
        }                                                                                          \
        ::bridge::harness::detail::check_raised(                                                   \
            BRIDGE_HARNESS_SITE(macro, ends, #type ", " #__VA_ARGS__), type, bridge_thrown);       \
    } while (false)
