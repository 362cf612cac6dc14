// SPDX-License-Identifier: Apache-2.0
// Reading manifests.
#include <bridge/protocol/manifest.hpp>

#include <filesystem>
#include <string>

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
                           fields.integer_or("timeout_ms", 0, 1),
                           fields.texts_or_empty("launcher")};
    for (const auto& setting : binary.environment)
        if (setting.find('=') == std::string::npos || setting.front() == '=')
            fields.fail("environment", "must hold NAME=value, not \"" + setting + "\"");
    return binary;
}

// Of every place in the text at which the path, or one below it, stands.
void replace_folder(std::string& text, const std::string& old, const std::string& by) {
    for (auto at = text.find(old); at != text.npos; at = text.find(old, at)) {
        const auto end = at + old.size();
        const bool is_whole = end == text.size() || text[end] == '/' || text[end] == ':';
        if (is_whole)
            text.replace(at, old.size(), by);
        at += is_whole ? by.size() : old.size();
    }
}

// "build_folder" has its path as it "was", and where it "is" from the manifest's folder.
void follow_build_folder(std::vector<manifest_binary>& binaries, const json::object& manifest,
                         std::string_view folder) {
    const auto* both = manifest.if_contains("build_folder");
    if (both == nullptr || !both->is_object() || folder.empty())
        return;
    const field_reader fields(both->get_object(), "the manifest's build_folder");
    const auto was = fields.text("was");
    auto is = (std::filesystem::path(folder) / fields.text_or_empty("is")).lexically_normal();
    if (!is.has_filename())
        is = is.parent_path();
    if (was.empty() || was == is)
        return;
    for (auto& one : binaries) {
        replace_folder(one.path, was, is.string());
        replace_folder(one.working_directory, was, is.string());
        for (auto& setting : one.environment)
            replace_folder(setting, was, is.string());
    }
}

} // namespace

std::vector<manifest_binary> parse_manifest(std::string_view text, std::string_view folder) {
    const auto object = parse_object(text, "the manifest");
    require_version(object, "bridge_manifest", 1, "the manifest");
    std::vector<manifest_binary> binaries;
    for (const auto& value : field_reader(object, "the manifest").array("binaries"))
        binaries.push_back(to_binary(value));
    follow_build_folder(binaries, object, folder);
    return binaries;
}

} // namespace bridge::protocol
