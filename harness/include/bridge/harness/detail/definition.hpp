// SPDX-License-Identifier: Apache-2.0
// What the macros leave behind: static records in a list, linked before main without allocating.
#pragma once

#include <bridge/harness/options.hpp>

#include <boost/asio/awaitable.hpp>

namespace bridge::harness::detail {

using async_body = boost::asio::awaitable<void> (*)();
using sync_body = void (*)();

/// One test of the program. Exactly one of the bodies is there.
struct definition {
    definition(const char* test, const char* in_file, int at_line, async_body body,
               test_options (*make)()) noexcept;
    definition(const char* test, const char* in_file, int at_line, sync_body body,
               test_options (*make)()) noexcept;
    definition(const definition&) = delete;
    definition& operator=(const definition&) = delete;

    const char* name;
    const char* file;
    int line;
    async_body run_async = nullptr;
    sync_body run_sync = nullptr;
    test_options (*options)(); ///< called when the tests are listed, not at start-up
    const definition* next = nullptr;
};

/// The suite of all tests of a file.
struct suite_definition {
    suite_definition(const char* suite, const char* in_file) noexcept;
    suite_definition(const suite_definition&) = delete;
    suite_definition& operator=(const suite_definition&) = delete;

    const char* name;
    const char* file;
    const suite_definition* next = nullptr;
};

} // namespace bridge::harness::detail
