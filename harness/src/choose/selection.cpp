// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/detail/definition.hpp>

#include "choose/selection.hpp"

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>

namespace bridge::harness {
namespace {

bool matches(const registered_test& test, const std::vector<std::string>& filters) {
    const auto contained = [&](const std::string& filter) {
        return test.info.id.find(filter) != std::string::npos;
    };
    return filters.empty() || std::any_of(filters.begin(), filters.end(), contained);
}

std::vector<registered_test> select_exact(const std::vector<registered_test>& all,
                                          const std::vector<std::string>& ids) {
    std::vector<registered_test> found;
    for (const auto& id : ids) {
        const auto is_it = [&id](const auto& test) { return test.info.id == id; };
        if (std::none_of(found.begin(), found.end(), is_it))
            found.push_back(require_test(all, id));
    }
    return found;
}

} // namespace

registered_test require_test(const std::vector<registered_test>& tests, std::string_view id) {
    if (auto found = find_test(tests, id))
        return *std::move(found);
    throw usage_error("there is no test with the id " + std::string(id) + "; see --list");
}

std::vector<registered_test> select_tests(std::vector<registered_test> all,
                                          const command_line& options) {
    if (!options.exact.empty())
        return select_exact(all, options.exact);
    std::erase_if(all, [&](const auto& test) { return !matches(test, options.filters); });
    return all;
}

// Not std::shuffle: each library has its own.
void shuffle_tests(std::vector<registered_test>& tests, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::size_t left = tests.size(); left > 1; --left)
        std::swap(tests[left - 1], tests[random() % left]);
}

std::string list_tests(std::vector<registered_test> tests, const command_line& options,
                       const char* program) {
    if (!options.json) {
        std::string text;
        for (const auto& test : tests)
            text += test.info.id + "\n";
        return text;
    }
    protocol::listing listing{
        std::filesystem::path(program).stem().string(), {}, {"batch", "fork"}};
    listing.tests.reserve(tests.size());
    for (auto& test : tests)
        listing.tests.push_back(std::move(test.info));
    return protocol::write_listing(listing) + "\n";
}

} // namespace bridge::harness
