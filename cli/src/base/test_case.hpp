// SPDX-License-Identifier: Apache-2.0
// What is run and what came of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <bridge/protocol/event.hpp>
#include <bridge/protocol/listing.hpp>
#include <bridge/protocol/outcome.hpp>

namespace bridge::cli {

/// A test binary as it was found, before it was asked for its tests.
struct binary_location {
    std::string shown_path;               ///< as the user named it, for messages
    std::string path;                     ///< absolute
    std::vector<std::string> environment; ///< NAME=value
    std::string working_directory;
    std::optional<std::chrono::milliseconds> timeout; ///< in place of each test's own
    std::vector<std::string> launcher{}; ///< an emulator or a wrapper, with its arguments

    /// What is started to run it.
    const std::string& program() const { return launcher.empty() ? path : launcher.front(); }
};

struct test_binary {
    binary_location location;
    std::string name; ///< its stem, with its folder if that is not unique
    std::vector<protocol::test_info> tests;
    std::vector<std::string> serves{}; ///< the isolations beside process that it can have
};

struct test_case {
    const test_binary* binary = nullptr;
    const protocol::test_info* info = nullptr;
};

/// A failure that bridge-test saw itself has no kind of the protocol; its text says it all.
struct failure {
    std::string kind;
    std::string message;
    std::string file;
    int line = 0;
};

struct case_result {
    test_case test;
    protocol::outcome result = protocol::outcome::not_run;
    std::string message{}; ///< why, if the outcome has a reason
    std::vector<failure> failures{};
    std::vector<std::string> notes{};
    std::string output{}; ///< raw bytes
    std::chrono::nanoseconds duration{0};
    std::vector<case_result> earlier{}; ///< failed attempts before this one, the first first

    /// It ran, and is not green.
    bool is_bad() const noexcept {
        return result != protocol::outcome::not_run && !is_success(result);
    }

    /// Green, but not at once.
    bool is_flaky() const noexcept { return is_success(result) && !earlier.empty(); }
};

} // namespace bridge::cli
