// SPDX-License-Identifier: Apache-2.0
// Typed, checked access to the fields of a JSON object, with errors that name the field.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace bridge::protocol {

namespace json = boost::json;

/// Parses `text` as one JSON object; `what` begins the error's text ("the listing").
json::object parse_object(std::string_view text, std::string_view what);

/// Requires that field `key` is this protocol's version.
void require_version(const json::object& object, std::string_view key, int version,
                     std::string_view what);

/// Reads fields of one object; every error begins with `what`.
class field_reader {
public:
    field_reader(const json::object& object, std::string what)
        : object_(object), what_(std::move(what)) {}

    std::string text(std::string_view key) const;
    std::string text_or_empty(std::string_view key) const;
    double number(std::string_view key, double lowest) const;
    int integer_or(std::string_view key, int fallback, int lowest) const;
    bool flag_or_false(std::string_view key) const;
    std::vector<std::string> texts_or_empty(std::string_view key) const;
    const json::array& array(std::string_view key) const;

    [[noreturn]] void fail(std::string_view key, std::string_view problem) const;

private:
    const json::value& required(std::string_view key) const;

    const json::object& object_;
    std::string what_;
};

/// A JSON string of any bytes, escaped if they are not UTF-8.
json::string to_json_text(std::string_view bytes);

} // namespace bridge::protocol
