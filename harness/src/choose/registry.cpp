// SPDX-License-Identifier: Apache-2.0
#include "choose/registry.hpp"

#include "choose/leak_kinds.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <unordered_map>
#include <utility>

namespace bridge::harness {
namespace {

// Constant-initialized: valid before the first definition of any file is constructed.
constinit const detail::definition* definitions = nullptr;
constinit const detail::suite_definition* suites = nullptr;

struct suite {
    std::string name;
    test_options options; ///< what its tests say unless they say otherwise
};

using suite_map = std::unordered_map<std::string_view, suite>;

const suite& suite_of(const char* file, suite_map& known) {
    auto& found = known[file];
    if (found.name.empty())
        found.name = std::filesystem::path(file).stem().string();
    return found;
}

protocol::test_kind kind_of(const detail::test_body& body) {
    return body.on_loop != nullptr || body.python != nullptr ? protocol::test_kind::async
                                                             : protocol::test_kind::sync;
}

protocol::test_info make_info(const detail::definition& what, const std::string& suite,
                              const test_options& options) {
    protocol::test_info info;
    info.suite = suite;
    info.name = what.name;
    info.kind = kind_of(what.body);
    info.file = what.file;
    info.line = what.line;
    info.tags = options.words;
    info.timeout = options.timeout;
    info.group = options.group;
    info.is_serial = options.is_serial;
    info.retries = static_cast<int>(std::min(options.retries, 1000U));
    return info;
}

void add_under_loops(std::vector<registered_test>& to, registered_test test,
                     detail::loop_set under) {
    auto allowed = test.options.loops;
    if (allowed.empty() && !under.empty() && test.options.is_in_virtual_time)
        allowed.add(detail::loop_name::same_thread);
    const auto add = [&to](registered_test one) {
        one.info.id = one.info.suite + "." + one.info.name;
        to.push_back(std::move(one));
    };
    if (allowed.empty() && under.empty())
        return add(std::move(test));
    for (std::size_t i = 0; i < detail::loop_names.size(); ++i) {
        const auto loop = static_cast<detail::loop_name>(i);
        if ((!allowed.empty() && !allowed.has(loop)) || (!under.empty() && !under.has(loop)))
            continue;
        auto one = test;
        one.loop = loop;
        one.info.name += "@" + std::string(to_string(loop));
        add(std::move(one));
    }
}

std::string place(const detail::definition& what) {
    return std::string(what.file) + ":" + std::to_string(what.line);
}

void require_possible(const detail::definition& what, const test_options& options) {
    const auto refuse = [&what](const std::string& why) {
        throw bad_test(place(what) + ": " + what.name + ": " + why);
    };
    if (options.timeout < std::chrono::milliseconds(1))
        refuse("its timeout is not above zero; write 1ms or more");
    if (!options.unknown_loop.empty())
        refuse("loops(\"" + std::string(options.unknown_loop) +
               "\"): the loops are asyncio, asyncio+debug, same-thread and uvloop");
    for (const auto& pattern : options.ignored_leaks)
        if (const auto why = why_no_leak_pattern(pattern))
            refuse("ignore_leaks(\"" + pattern + "\"): " + *why);
}

void add_tests(std::vector<registered_test>& to, const detail::definition& what, suite_map& known,
               detail::loop_set under) {
    const auto& suite = suite_of(what.file, known);
    auto options = suite.options;
    what.options(options);
    require_possible(what, options);
    const auto values = std::move(options.values);
    registered_test test{&what, make_info(what, suite.name, options), std::move(options), {}, {}};
    if (values.empty())
        return add_under_loops(to, std::move(test), under);
    for (const auto& [text, value] : values) {
        auto one = test;
        one.value = value;
        one.info.name += "/" + encode_value(text);
        add_under_loops(to, std::move(one), under);
    }
}

void require_unique(const std::vector<registered_test>& tests) {
    std::unordered_map<std::string_view, const detail::definition*> seen(tests.size());
    for (const auto& test : tests) {
        const auto [found, is_new] = seen.emplace(test.info.id, test.what);
        if (is_new)
            continue;
        const auto both = "two tests have the id " + test.info.id + ": ";
        if (found->second == test.what)
            throw bad_test(both + "two values of " + place(*test.what) +
                           " have one text; tell them apart by named(\"text\", value)");
        throw bad_test(both + place(*found->second) + " and " + place(*test.what) +
                       "; rename one, or give a file another BRIDGE_SUITE");
    }
}

bool is_plain(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c >= 0x80 ||
           std::string_view("_-+=.,:~").find(static_cast<char>(c)) != std::string_view::npos;
}

} // namespace

std::string encode_value(std::string_view text) {
    constexpr std::size_t most = 100;
    std::string encoded;
    std::uint32_t hash = 2166136261U; // FNV-1a, for what is cut off
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        hash = (hash ^ byte) * 16777619U;
        std::array<char, 4> code{c};
        if (!is_plain(byte))
            std::snprintf(code.data(), code.size(), "%%%02X", byte);
        encoded += code.data();
    }
    if (encoded.size() <= most)
        return encoded;
    std::array<char, 10> end{};
    std::snprintf(end.data(), end.size(), "~%08x", hash);
    encoded.resize(most);
    // Not within a character or a %NN.
    while (static_cast<unsigned char>(encoded.back()) >= 0x80 ||
           encoded.find('%', encoded.size() - 2) != encoded.npos)
        encoded.pop_back();
    return encoded + end.data();
}

std::vector<registered_test> collect_tests(detail::loop_set under) {
    suite_map known;
    for (const auto* one = suites; one != nullptr; one = one->next) {
        auto& found = known[one->file];
        found.name = one->name;
        one->options(found.options);
    }
    std::vector<const detail::definition*> in_order;
    for (const auto* one = definitions; one != nullptr; one = one->next)
        in_order.push_back(one);
    std::vector<registered_test> tests;
    tests.reserve(in_order.size());
    for (auto one = in_order.rbegin(); one != in_order.rend(); ++one) // the newest is the first
        add_tests(tests, **one, known, under);
    require_unique(tests);
    return tests;
}

std::optional<registered_test> find_test(const std::vector<registered_test>& tests,
                                         std::string_view id) {
    const auto find = [&tests](std::string_view wanted) {
        return std::find_if(tests.begin(), tests.end(),
                            [wanted](const auto& test) { return test.info.id == wanted; });
    };
    if (const auto found = find(id); found != tests.end())
        return *found;
    const auto at = id.rfind('@');
    const auto loop = at != id.npos ? detail::parse_loop(id.substr(at + 1)) : std::nullopt;
    const auto found = loop ? find(id.substr(0, at)) : tests.end();
    if (found == tests.end())
        return std::nullopt;
    std::vector<registered_test> under_it;
    add_under_loops(under_it, *found, detail::loop_set(*loop));
    return under_it.empty() ? std::nullopt : std::optional(under_it.front());
}

namespace detail {

definition::definition(const char* test, const char* in_file, int at_line, test_body what,
                       const fixture_type& object, bool with_values,
                       void (*apply_options)(test_options&)) noexcept
    : name(test), file(in_file), line(at_line), body(what), fixture(object),
      takes_values(with_values), options(apply_options), next(std::exchange(definitions, this)) {}

suite_definition::suite_definition(const char* suite, const char* in_file,
                                   void (*apply_options)(test_options&)) noexcept
    : name(suite), file(in_file), options(apply_options), next(std::exchange(suites, this)) {}

} // namespace detail
} // namespace bridge::harness
