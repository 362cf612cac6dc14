// SPDX-License-Identifier: Apache-2.0
// What a test binary answers to `--list --format json`.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <bridge/protocol/error.hpp>

namespace bridge::protocol {

inline constexpr int version = 1;

/// Where a test's body runs: a coroutine on the loop, or a plain function off it.
enum class test_kind { async, sync };

struct test_info {
    std::string id; ///< unique in the binary, by convention `suite.name`
    std::string suite;
    std::string name;
    test_kind kind = test_kind::async;
    std::string file; ///< may be empty
    int line = 0;
    std::vector<std::string> tags;
    std::chrono::milliseconds timeout{10'000};
    std::string group{};    ///< tests of one group do not run at the same time; empty: none
    bool is_serial = false; ///< no other test runs at the same time
    int retries = 0;        ///< how often a failure is tried again
};

struct listing {
    std::string binary; ///< the file's stem
    std::vector<test_info> tests;
    std::vector<std::string> serves{}; ///< the ways of --serve that it knows
};

/// One JSON object without a line end; bytes that are not UTF-8 are escaped.
/// `path`, if there is one, becomes a further key that readers ignore.
std::string write_listing(const listing& value, std::string_view path = {});

/// Reads what write_listing wrote. Unknown keys are ignored.
/// Throws: protocol_error: not JSON, another version, a missing or ill-typed field, an id twice.
listing parse_listing(std::string_view text);

} // namespace bridge::protocol
