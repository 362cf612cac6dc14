// SPDX-License-Identifier: Apache-2.0
// What the macros leave behind: static records in a list, linked before main without allocating.
#pragma once

#include <bridge/detail/python.hpp>

#include <bridge/harness/options.hpp>

#include <boost/asio/awaitable.hpp>

namespace bridge::harness::detail {

/// A test's body; which member is there says where it runs. The first argument is the test's
/// object, the second its value.
struct test_body {
    boost::asio::awaitable<void> (*on_loop)(void*, const void*) = nullptr;
    void (*on_thread)(void*, const void*) = nullptr;
    void (*on_main_thread)(void*, const void*) = nullptr;
    const char* python = nullptr; ///< text that defines a function `test`
};

/// What is done once for all tests of a fixture that run in one process; null where there is
/// nothing to do.
struct suite_type {
    boost::asio::awaitable<void> (*set_up)();
    boost::asio::awaitable<void> (*tear_down)();
};

/// How the object is made and ended whose member the body is; null where there is nothing to do.
struct fixture_type {
    void* (*make)();
    void (*destroy)(void*);
    boost::asio::awaitable<void> (*set_up)(void*);
    boost::asio::awaitable<void> (*tear_down)(void*);
    void (*provide)(void*, py::dict); ///< requires the GIL
    const suite_type* suite;          ///< of its class; null: it has none
};

/// One test of the program, or several that differ in their value.
struct definition {
    definition(const char* test, const char* in_file, int at_line, test_body what,
               const fixture_type& object, bool with_values,
               void (*apply_options)(test_options&)) noexcept;
    definition(const definition&) = delete;
    definition& operator=(const definition&) = delete;

    const char* name;
    const char* file;
    int line;
    test_body body;
    const fixture_type& fixture;
    bool takes_values;
    void (*options)(test_options&); ///< called when the tests are listed, not at start-up
    const definition* next = nullptr;
};

/// The suite of all tests of a file, and what they say unless they say otherwise.
struct suite_definition {
    suite_definition(const char* suite, const char* in_file,
                     void (*apply_options)(test_options&)) noexcept;
    suite_definition(const suite_definition&) = delete;
    suite_definition& operator=(const suite_definition&) = delete;

    const char* name;
    const char* file;
    void (*options)(test_options&);
    const suite_definition* next = nullptr;
};

} // namespace bridge::harness::detail
