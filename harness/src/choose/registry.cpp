// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/detail/definition.hpp>

#include "choose/registry.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bridge::harness {
namespace {

// Constant-initialized: valid before the first definition of any file is constructed.
constinit const detail::definition* definitions = nullptr;
constinit const detail::suite_definition* suites = nullptr;

using suite_map = std::unordered_map<std::string_view, std::string>;

const std::string& suite_of(const char* file, suite_map& known) {
    auto& suite = known[file];
    if (suite.empty())
        suite = std::filesystem::path(file).stem().string();
    return suite;
}

registered_test describe_test(const detail::definition& what, suite_map& known) {
    const auto options = what.options();
    protocol::test_info info;
    info.suite = suite_of(what.file, known);
    info.name = what.name;
    info.id = info.suite + "." + info.name;
    info.kind = what.run_async != nullptr ? protocol::test_kind::async : protocol::test_kind::sync;
    info.file = what.file;
    info.line = what.line;
    for (std::size_t i = 0; i < options.words.count; ++i)
        info.tags.emplace_back(options.words.names[i]);
    info.timeout = options.timeout;
    info.group = options.group;
    info.is_serial = options.is_serial;
    info.retries = static_cast<int>(std::min(options.retries, 1000U));
    return {&what, std::move(info)};
}

std::string place(const detail::definition& what) {
    return std::string(what.file) + ":" + std::to_string(what.line);
}

void require_unique(const std::vector<registered_test>& tests) {
    std::unordered_map<std::string_view, const detail::definition*> seen(tests.size());
    for (const auto& test : tests) {
        const auto [found, is_new] = seen.emplace(test.info.id, test.what);
        if (!is_new)
            throw duplicate_test("two tests have the id " + test.info.id + ": " +
                                 place(*found->second) + " and " + place(*test.what) +
                                 "; rename one, or give a file another BRIDGE_SUITE");
    }
}

} // namespace

std::vector<registered_test> collect_tests() {
    suite_map known;
    for (const auto* suite = suites; suite != nullptr; suite = suite->next)
        known[suite->file] = suite->name;
    std::vector<registered_test> tests;
    for (const auto* one = definitions; one != nullptr; one = one->next)
        tests.push_back(describe_test(*one, known));
    std::reverse(tests.begin(), tests.end()); // the list has the newest first
    require_unique(tests);
    return tests;
}

namespace detail {

definition::definition(const char* test, const char* in_file, int at_line, async_body body,
                       test_options (*make)()) noexcept
    : name(test), file(in_file), line(at_line), run_async(body), options(make),
      next(std::exchange(definitions, this)) {}

definition::definition(const char* test, const char* in_file, int at_line, sync_body body,
                       test_options (*make)()) noexcept
    : name(test), file(in_file), line(at_line), run_sync(body), options(make),
      next(std::exchange(definitions, this)) {}

suite_definition::suite_definition(const char* suite, const char* in_file) noexcept
    : name(suite), file(in_file), next(std::exchange(suites, this)) {}

} // namespace detail
} // namespace bridge::harness
