// SPDX-License-Identifier: Apache-2.0
// Reading manifests.
#include <bridge/protocol/manifest.hpp>

#include "protocol/fields.hpp"

namespace bridge::protocol {

namespace {

manifest_binary to_binary(const json::value& value) {
    if (value.is_string())
        return to_binary(json::object{{"path", value}});
    if (!value.is_object())
        throw protocol_error(
            "the manifest: an entry of \"binaries\" is neither a path nor an object");
    field_reader fields(value.get_object(), "the manifest's entry");
    if (fields.text("path").empty())
        fields.fail("path", "is empty");
    manifest_binary binary{fields.text("path"), fields.texts_or_empty("environment"),
                           fields.text_or_empty("working_directory"),
                           fields.integer_or("timeout_ms", 0, 1)};
    for (const auto& setting : binary.environment)
        if (setting.find('=') == std::string::npos || setting.front() == '=')
            fields.fail("environment", "must hold NAME=value, not \"" + setting + "\"");
    return binary;
}

} // namespace

std::vector<manifest_binary> parse_manifest(std::string_view text) {
    const auto object = parse_object(text, "the manifest");
    require_version(object, "bridge_manifest", 1, "the manifest");
    std::vector<manifest_binary> binaries;
    for (const auto& value : field_reader(object, "the manifest").array("binaries"))
        binaries.push_back(to_binary(value));
    return binaries;
}

} // namespace bridge::protocol
