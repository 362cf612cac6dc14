// SPDX-License-Identifier: Apache-2.0
// Checked access to JSON fields.
#include "protocol/fields.hpp"

#include <limits>

#include <boost/json/parse.hpp>

#include <bridge/protocol/error.hpp>
#include <bridge/protocol/text.hpp>

namespace bridge::protocol {

namespace {

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 60;
    auto shown = to_valid_utf8(text.substr(0, longest));
    return "\"" + shown + (text.size() > longest ? "\"..." : "\"");
}

} // namespace

json::object parse_object(std::string_view text, std::string_view what) {
    boost::system::error_code error;
    auto value = json::parse({text.data(), text.size()}, error);
    if (error)
        throw protocol_error(std::string(what) + " is not one JSON object: " + error.message() +
                             ", in " + quoted(text));
    if (!value.is_object())
        throw protocol_error(std::string(what) + " is JSON, but not an object: " + quoted(text));
    return std::move(value.get_object());
}

void require_version(const json::object& object, std::string_view key, int expected,
                     std::string_view what) {
    const auto* found = object.if_contains({key.data(), key.size()});
    if (found == nullptr)
        throw protocol_error(std::string(what) + " has no field \"" + std::string(key) + "\"");
    if (!found->is_int64() || found->get_int64() != expected)
        throw protocol_error(std::string(what) + " has another version of the protocol; field \"" +
                             std::string(key) + "\" must be " + std::to_string(expected));
}

const json::value& field_reader::required(std::string_view key) const {
    const auto* found = object_.if_contains({key.data(), key.size()});
    if (found == nullptr)
        fail(key, "is missing");
    return *found;
}

void field_reader::fail(std::string_view key, std::string_view problem) const {
    throw protocol_error(what_ + ": field \"" + std::string(key) + "\" " + std::string(problem));
}

std::string field_reader::text(std::string_view key) const {
    const auto& value = required(key);
    if (!value.is_string())
        fail(key, "must be a string");
    return {value.get_string().begin(), value.get_string().end()};
}

std::string field_reader::text_or_empty(std::string_view key) const {
    return object_.contains({key.data(), key.size()}) ? text(key) : std::string();
}

double field_reader::number(std::string_view key, double lowest) const {
    const auto& value = required(key);
    if (!value.is_number())
        fail(key, "must be a number");
    const auto number = value.to_number<double>();
    if (!(number >= lowest))
        fail(key, "is too small");
    return number;
}

int field_reader::integer_or(std::string_view key, int fallback, int lowest) const {
    const auto* found = object_.if_contains({key.data(), key.size()});
    if (found == nullptr)
        return fallback;
    if (!found->is_int64() || found->get_int64() > std::numeric_limits<int>::max())
        fail(key, "must be a whole number");
    if (found->get_int64() < lowest)
        fail(key, "must be " + std::to_string(lowest) + " or more");
    return static_cast<int>(found->get_int64());
}

bool field_reader::flag_or_false(std::string_view key) const {
    const auto* found = object_.if_contains({key.data(), key.size()});
    if (found == nullptr)
        return false;
    if (!found->is_bool())
        fail(key, "must be true or false");
    return found->get_bool();
}

std::vector<std::string> field_reader::texts_or_empty(std::string_view key) const {
    std::vector<std::string> texts;
    if (!object_.contains({key.data(), key.size()}))
        return texts;
    for (const auto& item : array(key)) {
        if (!item.is_string())
            fail(key, "must hold strings only");
        texts.emplace_back(item.get_string().begin(), item.get_string().end());
    }
    return texts;
}

const json::array& field_reader::array(std::string_view key) const {
    const auto& value = required(key);
    if (!value.is_array())
        fail(key, "must be an array");
    return value.get_array();
}

json::string to_json_text(std::string_view bytes) {
    return json::string(to_valid_utf8(bytes));
}

} // namespace bridge::protocol
