// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/detail/definition.hpp>

#include "choose/selection.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace bridge::harness {
namespace {

bool matches(const registered_test& test, const command_line& options) {
    if (!options.exact.empty())
        return std::find(options.exact.begin(), options.exact.end(), test.info.id) !=
               options.exact.end();
    const auto contained = [&](const std::string& filter) {
        return test.info.id.find(filter) != std::string::npos;
    };
    return options.filters.empty() ||
           std::any_of(options.filters.begin(), options.filters.end(), contained);
}

} // namespace

std::vector<registered_test> select_tests(std::vector<registered_test> all,
                                          const command_line& options) {
    std::erase_if(all, [&](const auto& test) { return !matches(test, options); });
    for (const auto& id : options.exact)
        if (std::none_of(all.begin(), all.end(),
                         [&](const auto& test) { return test.info.id == id; }))
            throw usage_error("there is no test with the id " + id + "; see --list");
    return all;
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
