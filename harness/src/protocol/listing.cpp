// SPDX-License-Identifier: Apache-2.0
// Writing and reading listings.
#include <bridge/protocol/listing.hpp>

#include <algorithm>
#include <string>
#include <unordered_map>

#include <boost/json/serialize.hpp>

#include <bridge/protocol/text.hpp>

#include "protocol/fields.hpp"
#include "protocol/names.hpp"

namespace bridge::protocol {

namespace {

constexpr name_table<test_kind, 2> test_kinds{{
    {test_kind::async, "async"},
    {test_kind::sync, "sync"},
}};

json::object to_json(const test_info& test) {
    json::array tags;
    for (const auto& tag : test.tags)
        tags.emplace_back(to_json_text(tag));
    const auto kind = name_of(test_kinds, test.kind);
    json::object object{{"id", to_json_text(test.id)},     {"suite", to_json_text(test.suite)},
                        {"name", to_json_text(test.name)}, {"kind", json::string_view(kind)},
                        {"file", to_json_text(test.file)}, {"line", test.line},
                        {"tags", std::move(tags)},         {"timeout_ms", test.timeout.count()}};
    if (!test.group.empty())
        object["group"] = to_json_text(test.group);
    if (test.is_serial)
        object["serial"] = true;
    if (test.retries > 0)
        object["retries"] = test.retries;
    return object;
}

test_info to_test(const json::value& value, std::size_t index) {
    const auto place = "the listing's test " + std::to_string(index + 1);
    if (!value.is_object())
        throw protocol_error(place + " is not an object");
    field_reader fields(value.get_object(), place);
    test_info test;
    test.id = fields.text("id");
    if (test.id.empty())
        fields.fail("id", "is empty");
    if (test.id.find('\0') != std::string::npos)
        fields.fail("id", "has a zero byte, which no command line can carry");
    test.suite = fields.text("suite");
    test.name = fields.text("name");
    const auto kind = value_of(test_kinds, fields.text("kind"));
    if (!kind)
        fields.fail("kind", "must be \"async\" or \"sync\"");
    test.kind = *kind;
    test.file = fields.text_or_empty("file");
    test.line = fields.integer_or("line", 0, 0);
    test.tags = fields.texts_or_empty("tags");
    test.timeout = std::chrono::milliseconds(fields.integer_or("timeout_ms", 10'000, 1));
    test.group = fields.text_or_empty("group");
    test.is_serial = fields.flag_or_false("serial");
    test.retries = fields.integer_or("retries", 0, 0);
    return test;
}

std::string place_of(const test_info& test) {
    return test.file.empty() ? "an unnamed file" : test.file + ":" + std::to_string(test.line);
}

void require_unique_ids(const std::vector<test_info>& tests) {
    std::unordered_map<std::string_view, const test_info*> seen(tests.size());
    for (const auto& test : tests) {
        const auto [found, is_new] = seen.emplace(test.id, &test);
        if (!is_new)
            throw protocol_error("the listing has test \"" + test.id + "\" twice: at " +
                                 place_of(*found->second) + " and at " + place_of(test));
    }
}

// What a library that the binary is linked to may do before main.
void require_nothing_before_it(std::string_view text) {
    constexpr std::size_t most = 1000;
    const auto begin = text.find(R"({"bridge_protocol")");
    if (begin != text.npos && begin > 0)
        throw protocol_error("something else wrote to its standard output before the listing:\n" +
                             to_valid_utf8(text.substr(0, std::min(begin, most))));
}

} // namespace

std::string write_listing(const listing& value, std::string_view path) {
    json::array tests;
    tests.reserve(value.tests.size());
    for (const auto& test : value.tests)
        tests.emplace_back(to_json(test));
    json::object object{{"bridge_protocol", version},
                        {"binary", to_json_text(value.binary)},
                        {"tests", std::move(tests)}};
    if (!value.serves.empty()) {
        json::array serves;
        for (const auto& one : value.serves)
            serves.emplace_back(to_json_text(one));
        object["serves"] = std::move(serves);
    }
    if (!path.empty())
        object["path"] = to_json_text(path);
    return json::serialize(object);
}

listing parse_listing(std::string_view text) {
    require_nothing_before_it(text);
    const auto object = parse_object(text, "the listing");
    require_version(object, "bridge_protocol", version, "the listing");
    field_reader fields(object, "the listing");
    listing result;
    result.binary = fields.text("binary");
    result.serves = fields.texts_or_empty("serves");
    const auto& tests = fields.array("tests");
    for (std::size_t i = 0; i < tests.size(); ++i)
        result.tests.push_back(to_test(tests[i], i));
    require_unique_ids(result.tests);
    return result;
}

} // namespace bridge::protocol
