// SPDX-License-Identifier: Apache-2.0
// Parts by hash.
#include "filter/shard.hpp"

#include <charconv>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>

#include "base/error.hpp"

namespace bridge::cli {

namespace {

constexpr unsigned most_shards = 10'000;

// FNV-1a, and a last step that lets every bit of it reach the lowest ones.
std::uint64_t hash(std::string_view binary, std::string_view id) noexcept {
    std::uint64_t value = 14695981039346656037U;
    const auto add = [&](char byte) {
        value = (value ^ static_cast<unsigned char>(byte)) * 1099511628211U;
    };
    for (char byte : binary)
        add(byte);
    add('\0');
    for (char byte : id)
        add(byte);
    value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdU;
    return value ^ (value >> 33);
}

std::optional<unsigned> parse_number(std::string_view text) {
    unsigned value = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        return std::nullopt;
    return value;
}

std::optional<shard> checked(unsigned index, unsigned count) {
    if (index < 1 || index > count || count > most_shards)
        return std::nullopt;
    return shard{index, count};
}

// An empty one is none.
std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::optional<shard> read_pair(const char* index_name, const char* count_name, unsigned first) {
    const auto index = variable(index_name);
    const auto count = variable(count_name);
    if (index.empty())
        return std::nullopt; // GitLab sets the total alone if a job is not split
    if (count.empty())
        throw expected_error(exit_code::usage,
                             fmt::format("the environment has {} but no {}; set both or none",
                                         index_name, count_name));
    const auto number = parse_number(index);
    const auto total = parse_number(count);
    const auto part = number && total && *number < most_shards + first
                          ? checked(*number + 1 - first, *total)
                          : std::nullopt;
    if (!part)
        throw expected_error(exit_code::usage,
                             fmt::format("the environment has {}={} and {}={}, which is not "
                                         "a shard; the first one is {}",
                                         index_name, index, count_name, count, first));
    return part;
}

} // namespace

bool shard::contains(std::string_view binary_path, std::string_view id) const noexcept {
    const auto slash = binary_path.rfind('/');
    const auto name = slash == std::string_view::npos ? binary_path : binary_path.substr(slash + 1);
    return hash(name, id) % count == index - 1;
}

std::string shard::describe() const {
    return fmt::format("{}/{}", index, count);
}

std::optional<shard> parse_shard(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        return std::nullopt;
    const auto index = parse_number(text.substr(0, slash));
    const auto count = parse_number(text.substr(slash + 1));
    return index && count ? checked(*index, *count) : std::nullopt;
}

std::optional<shard> shard_of_environment() {
    if (const auto part = read_pair("CI_NODE_INDEX", "CI_NODE_TOTAL", 1))
        return part;
    return read_pair("GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", 0);
}

} // namespace bridge::cli
