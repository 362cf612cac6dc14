// SPDX-License-Identifier: Apache-2.0
// Finding test binaries.
#include "select/locate.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/manifest.hpp>

#include "base/error.hpp"

namespace bridge::cli {

namespace fs = std::filesystem;

namespace {

constexpr int most_parents = 8;

fs::path manifest_in(const fs::path& folder) {
    return folder / protocol::manifest_name;
}

bool is_file(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

std::string to_absolute(const fs::path& path) {
    std::error_code error;
    auto canonical = fs::canonical(path, error);
    if (!error)
        return canonical.string();
    auto absolute = fs::absolute(path, error);
    if (error)
        throw expected_error(exit_code::usage,
                             fmt::format("the current folder cannot be told: {}; change to one "
                                         "that is there",
                                         error.message()));
    return absolute.lexically_normal().string();
}

std::vector<protocol::manifest_binary> read_manifest(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw protocol::protocol_error("the manifest cannot be opened for reading");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    std::error_code error;
    const auto folder = fs::absolute(path.parent_path(), error);
    auto binaries = protocol::parse_manifest(text, folder.string());
    for (auto& one : binaries)
        one.path = (folder / one.path).string();
    return binaries;
}

binary_location to_location(const std::string& shown_path, const protocol::manifest_binary& from) {
    binary_location location{
        shown_path, to_absolute(from.path), from.environment, from.working_directory,
        {},         from.launcher};
    if (from.timeout_ms > 0)
        location.timeout = std::chrono::milliseconds(from.timeout_ms);
    return location;
}

class locator {
public:
    void add(const std::string& path);
    void add_manifest(const fs::path& manifest);

    located result;

private:
    void add_binary(const std::string& path);
    void add(binary_location binary);

    void use_folder_of(const fs::path& manifest) {
        if (result.folder.empty())
            result.folder = manifest.parent_path().string();
    }

    void complain(const std::string& path, std::string why) {
        result.problems.push_back({path, std::move(why)});
    }
};

// A test's id may have a slash before its values, so that it looks like a path.
std::string hint_at_id(const std::string& path) {
    const auto first = path.substr(0, path.find('/'));
    const bool is_id_like = first != path && first.find('.', 1) != first.npos && first[0] != '.';
    return is_id_like ? "; if it is a test's id, write --exact " + path : "";
}

void locator::add(const std::string& path) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (error && status.type() != fs::file_type::not_found)
        return complain(path, "it cannot be looked at: " + error.message());
    if (!fs::exists(status))
        return complain(path, "there is no such file; check the path, or build it first" +
                                  hint_at_id(path));
    if (!fs::is_directory(status))
        return add_binary(path);
    const auto manifest = manifest_in(path);
    if (!is_file(manifest))
        return complain(path, fmt::format("this folder has no {}; name a build folder whose CMake "
                                          "project calls bridge_add_test or bridge_discover_tests",
                                          protocol::manifest_name));
    add_manifest(manifest);
}

void locator::add_manifest(const fs::path& manifest) {
    use_folder_of(manifest);
    try {
        for (auto& one : read_manifest(manifest)) {
            if (!is_file(one.path))
                complain(one.path, "the manifest names it, but it is not there; build it first");
            else
                add(to_location(one.path, one));
        }
    } catch (const protocol::protocol_error& error) {
        complain(manifest.string(), std::string(error.what()) + "; run CMake again");
    }
}

// A binary named by itself runs as its build folder's manifest says, if one knows it.
void locator::add_binary(const std::string& path) {
    binary_location binary{path, to_absolute(path), {}, {}, {}};
    fs::path folder = fs::path(binary.path).parent_path();
    for (int i = 0; i < most_parents && !is_file(manifest_in(folder)); ++i)
        folder = folder.parent_path();
    try {
        if (is_file(manifest_in(folder)))
            for (auto& one : read_manifest(manifest_in(folder)))
                if (to_absolute(one.path) == binary.path) {
                    binary = to_location(path, one);
                    use_folder_of(manifest_in(folder));
                }
    } catch (const protocol::protocol_error&) {
        // The binary was named, the manifest was not: it runs without its settings.
    }
    add(std::move(binary));
}

void locator::add(binary_location binary) {
    for (const auto& known : result.binaries)
        if (known.path == binary.path)
            return;
    result.binaries.push_back(std::move(binary));
}

std::vector<fs::path> manifests_below(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (is_file(manifest_in(entry.path())))
            found.push_back(manifest_in(entry.path()));
    std::sort(found.begin(), found.end());
    return found;
}

fs::path find_manifest() {
    for (const fs::path folder : {".", "build"})
        if (is_file(manifest_in(folder)))
            return manifest_in(folder);
    const auto found = manifests_below("build");
    if (found.size() > 1) {
        std::vector<std::string> folders;
        for (const auto& manifest : found)
            folders.push_back(manifest.parent_path().string());
        throw expected_error(exit_code::usage, fmt::format("several build folders have tests: {}; "
                                                           "name the one that you mean",
                                                           fmt::join(folders, ", ")));
    }
    if (found.empty())
        throw expected_error(exit_code::no_tests,
                             fmt::format("no test binaries: neither this folder nor ./build nor "
                                         "./build/* has a {}; name a test binary or a build folder",
                                         protocol::manifest_name));
    return found.front();
}

} // namespace

located locate(const std::vector<std::string>& paths) {
    locator all;
    if (paths.empty())
        all.add_manifest(find_manifest());
    for (const auto& path : paths)
        all.add(path);
    return std::move(all.result);
}

} // namespace bridge::cli
