// SPDX-License-Identifier: Apache-2.0
// What a test asked for, and what is to be done with it when the test has ended.
#pragma once

#include <bridge/harness/detail/loop_name.hpp>

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace bridge::harness {

/// Of the whole run.
struct run_settings {
    detail::loop_name loop{}; ///< of tests whose id names none
    std::uint64_t seed = 0;
    std::filesystem::path artifacts; ///< empty: bridge-test-artifacts in the working directory
};

/// Of one test. Any thread.
class resources {
public:
    resources(std::string test, run_settings settings);
    resources(const resources&) = delete;
    resources& operator=(const resources&) = delete;

    /// Throws std::system_error.
    std::filesystem::path temporary_folder();

    /// Throws std::filesystem::filesystem_error, and std::invalid_argument for a name that leaves
    /// the folder.
    std::filesystem::path artifact(std::string_view name);

    std::mt19937_64& random();

    /// Removes the folder; returns what is to be told.
    std::vector<std::string> end();

private:
    const std::string test_;
    const run_settings settings_;
    std::mutex mutex_;
    std::filesystem::path folder_;
    std::vector<std::filesystem::path> artifacts_;
    std::optional<std::mt19937_64> random_;
};

/// A TCP port of 127.0.0.1 that is free now. Throws std::system_error.
std::uint16_t find_free_port();

} // namespace bridge::harness
