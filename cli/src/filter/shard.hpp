// SPDX-License-Identifier: Apache-2.0
// One of the parts that several machines share the tests by.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bridge::cli {

/// Part `index` of `count`, from 1.
struct shard {
    unsigned index = 1;
    unsigned count = 1;

    /// Every test is in exactly one of the parts, which depends on its id, the binary's file name
    /// and `count` only: not on other tests, on what is selected, nor on the machine.
    bool contains(std::string_view binary_path, std::string_view id) const noexcept;

    /// As parse_shard reads it.
    std::string describe() const;
};

/// Reads "k/n" with 1 <= k <= n <= 10000; nothing for another text.
std::optional<shard> parse_shard(std::string_view text);

/// The part that a CI system names: CI_NODE_INDEX and CI_NODE_TOTAL (from 1), else
/// GTEST_SHARD_INDEX and GTEST_TOTAL_SHARDS (from 0). Throws expected_error (usage) if one of
/// the two is missing or they are not numbers that go together.
std::optional<shard> shard_of_environment();

} // namespace bridge::cli
