// SPDX-License-Identifier: Apache-2.0
// {"bridge_test_state":1,"tests":[{"binary":...,"id":...,"outcome":...,"duration_ms":...}]}
#include "select/history.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <bridge/protocol/error.hpp>
#include <bridge/protocol/text.hpp>

#include "output/atomic_file.hpp"

namespace bridge::cli {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr auto version_key = "bridge_test_state";

[[noreturn]] void refuse(const std::string& what) {
    throw protocol::protocol_error("it is not what bridge-test wrote: " + what);
}

std::string text_of(const json::object& from, json::string_view key) {
    const auto* found = from.if_contains(key);
    if (found == nullptr || !found->is_string())
        refuse("a test has no text \"" + std::string(key) + "\"");
    return {found->get_string().begin(), found->get_string().end()};
}

remembered to_remembered(const json::object& from) {
    const auto result = protocol::parse_outcome(text_of(from, "outcome"));
    if (!result)
        refuse("a test has an unknown outcome");
    const auto* duration = from.if_contains("duration_ms");
    if (duration == nullptr || !duration->is_int64() || duration->get_int64() < 0)
        refuse("a test has no duration");
    const auto* flaky = from.if_contains("flaky");
    return {*result, flaky != nullptr && flaky->is_bool() && flaky->get_bool(),
            std::chrono::milliseconds(duration->get_int64())};
}

const json::array& tests_of(const json::value& whole) {
    if (!whole.is_object())
        refuse("it is not a JSON object");
    const auto& object = whole.get_object();
    const auto* version = object.if_contains(version_key);
    if (version == nullptr || !version->is_int64() || version->get_int64() != 1)
        refuse("it has another version");
    const auto* tests = object.if_contains("tests");
    if (tests == nullptr || !tests->is_array())
        refuse("it has no list of tests");
    return tests->get_array();
}

json::string to_json(std::string_view text) {
    return json::string(protocol::to_valid_utf8(text));
}

// As the XDG base directory specification has it: a path that is not absolute is none.
fs::path cache_folder() {
    for (const auto& [variable, below] : {std::pair{"XDG_CACHE_HOME", ""}, {"HOME", ".cache"}})
        if (const char* folder = std::getenv(variable);
            folder != nullptr && fs::path(folder).is_absolute())
            return fs::path(folder) / below;
    return {};
}

std::string read_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw protocol::protocol_error("it cannot be read: " +
                                       std::error_code(errno, std::generic_category()).message());
    return std::string(std::istreambuf_iterator<char>(file), {});
}

} // namespace

history_place place_of_history(const std::string& chosen, const std::string& folder) {
    if (!chosen.empty())
        return {chosen, false};
    if (!folder.empty())
        return {(fs::path(folder) / history_name).string(), false};
    const auto cache = cache_folder();
    if (cache.empty())
        return {};
    return {(cache / "bridge-test" / history_name).string(), true};
}

// What is not a regular file may have no end.
std::string why_no_history(const std::string& path) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (path == no_history || status.type() == fs::file_type::not_found)
        return {};
    if (error)
        return "it cannot be read: " + error.message();
    if (fs::is_directory(status))
        return "it is a folder";
    return fs::is_regular_file(status) ? "" : "it is not a regular file";
}

history history::load(const std::string& path) {
    history result;
    if (const auto why = why_no_history(path); !why.empty())
        throw protocol::protocol_error(why);
    std::error_code ignored;
    if (path == no_history || !fs::exists(path, ignored))
        return result;
    const auto text = read_whole(path);
    if (text.empty())
        return result;
    boost::system::error_code error;
    const auto whole = json::parse(text, error);
    if (error)
        refuse(error.message());
    for (const auto& one : tests_of(whole)) {
        if (!one.is_object())
            refuse("a test is not an object");
        const auto& test = one.get_object();
        result.put(text_of(test, "binary"), text_of(test, "id"), to_remembered(test));
    }
    return result;
}

const remembered* history::find(std::string_view binary, std::string_view id) const {
    const auto tests = binaries_.find(binary);
    if (tests == binaries_.end())
        return nullptr;
    const auto found = tests->second.find(id);
    return found == tests->second.end() ? nullptr : &found->second;
}

void history::put(const std::string& binary, const std::string& id, remembered what) {
    binaries_[binary].insert_or_assign(id, what);
}

void history::keep_only(const std::string& binary, const std::set<std::string_view>& ids) {
    if (const auto tests = binaries_.find(binary); tests != binaries_.end())
        std::erase_if(tests->second, [&](const auto& one) { return !ids.contains(one.first); });
}

void history::keep_existing() {
    std::erase_if(binaries_, [](const auto& one) {
        std::error_code error;
        return !fs::exists(one.first, error);
    });
}

void history::save(const std::string& path) const {
    json::array tests;
    for (const auto& [binary, of_binary] : binaries_)
        for (const auto& [id, what] : of_binary) {
            json::object one{{"binary", to_json(binary)},
                             {"id", to_json(id)},
                             {"outcome", to_json(to_string(what.result))},
                             {"duration_ms", what.duration.count()}};
            if (what.is_flaky)
                one["flaky"] = true;
            tests.emplace_back(std::move(one));
        }
    write_file(path,
               json::serialize(json::object{{version_key, 1}, {"tests", std::move(tests)}}) + "\n");
}

} // namespace bridge::cli
