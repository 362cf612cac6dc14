// SPDX-License-Identifier: Apache-2.0
// Reading bridge-test.toml. Every error names the line.
#include "settings/config.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "base/error.hpp"
#include "base/near_name.hpp"
#include "filter/filter_word.hpp"
#include "settings/settings.hpp"

namespace bridge::cli {

namespace fs = std::filesystem;

namespace {

// Options that say what one call is about: in a file they would be a trap.
constexpr std::string_view not_in_files[] = {"exact", "failed", "shard", "format"};

std::vector<std::string> known_keys() {
    auto names = setting_names();
    std::erase_if(names, [](const auto& name) {
        return std::find(std::begin(not_in_files), std::end(not_in_files), name) !=
               std::end(not_in_files);
    });
    names.push_back("overrides");
    return names;
}

const std::vector<std::string> override_keys{"filter", "timeout", "retries", "serial",
                                             "threads-required"};

class config_reader {
public:
    explicit config_reader(std::string path) : path_(std::move(path)) {}

    configuration read(const toml::table& root) {
        configuration result{path_, {}};
        for (const auto& [key, node] : root) {
            if (key.str() != "profile")
                fail_unknown(key, "key", {"profile"});
            for (const auto& [name, inner] : table_of(node, "profile"))
                result.profiles.push_back(read_profile(std::string(name.str()), inner));
        }
        return result;
    }

private:
    std::string place_of(const toml::source_region& where) const {
        return fmt::format("{}:{}", path_, where.begin.line);
    }

    [[noreturn]] void fail(const toml::source_region& where, const std::string& what) const {
        throw expected_error(exit_code::usage, place_of(where) + ": " + what);
    }

    [[noreturn]] void fail_unknown(const toml::key& key, std::string_view kind,
                                   const std::vector<std::string>& known) const {
        const auto near = suggest(key.str(), known);
        fail(key.source(),
             fmt::format("unknown {} '{}'{}", kind, key.str(),
                         near.empty() ? fmt::format("; known are {}", fmt::join(known, ", "))
                                      : near));
    }

    const toml::table& table_of(const toml::node& node, std::string_view name) const {
        if (!node.is_table())
            fail(node.source(), fmt::format("'{}' has to be a table", name));
        return *node.as_table();
    }

    profile read_profile(const std::string& name, const toml::node& node) const {
        profile result{name, {}, {}};
        for (const auto& [key, value] : table_of(node, "profile." + name)) {
            if (key.str() == "overrides")
                read_overrides(result, value);
            else
                result.settings.push_back(read_setting(name, key, value));
        }
        return result;
    }

    configured read_setting(const std::string& in, const toml::key& key,
                            const toml::node& node) const {
        const auto known = known_keys();
        if (std::find(known.begin(), known.end(), key.str()) == known.end())
            fail_unknown(key, "key", known);
        const auto& what = *find_setting(key.str());
        configured result{what.name, texts_of(what, node),
                          fmt::format("{} [profile.{}]", place_of(key.source()), in)};
        options scratch;
        with_place(key, [&] {
            for (const auto& text : result.texts)
                what.apply(scratch, text);
        });
        check_filters(what, key, result.texts);
        return result;
    }

    // Here the line is known, and in a profile that is not in use nobody else would read them.
    void check_filters(const setting& what, const toml::key& key,
                       const std::vector<std::string>& texts) const {
        const auto place = fmt::format("{}: {}", place_of(key.source()), what.name);
        for (const auto& text : texts)
            if (what.name == "filter")
                parse_expression(place, text);
            else if (what.name == "skip")
                parse_word(place, text);
    }

    // Runs what may throw bad_value.
    void with_place(const toml::key& key, const std::function<void()>& action) const {
        try {
            action();
        } catch (const bad_value& error) {
            fail(key.source(), fmt::format("{}: {}", key.str(), error.what()));
        }
    }

    std::vector<std::string> texts_of(const setting& what, const toml::node& node) const {
        const auto* array = node.as_array();
        if (array == nullptr)
            return {text_of(what.name, node, what.is_switch())};
        if (!what.is_list)
            fail(node.source(), fmt::format("{}: it takes one value, not a list", what.name));
        std::vector<std::string> texts;
        for (const auto& item : *array)
            texts.push_back(text_of(what.name, item, false));
        return texts;
    }

    std::string text_of(std::string_view name, const toml::node& node, bool is_switch) const {
        if (is_switch) {
            if (const auto value = node.value_exact<bool>())
                return *value ? "true" : "false";
            fail(node.source(), fmt::format("{}: it is either true or false", name));
        }
        if (const auto value = node.value_exact<std::string>())
            return *value;
        if (const auto value = node.value_exact<std::int64_t>())
            return std::to_string(*value);
        fail(node.source(), fmt::format("{}: a text or a whole number is expected", name));
    }

    void read_overrides(profile& into, const toml::node& node) const {
        const auto* array = node.as_array();
        if (array == nullptr)
            fail(node.source(),
                 fmt::format("overrides: write [[profile.{}.overrides]]", into.name));
        for (const auto& item : *array)
            into.overrides.push_back(read_override(table_of(item, "overrides"), item.source()));
    }

    override_rule read_override(const toml::table& table, const toml::source_region& where) const {
        const auto* filter = table.get("filter");
        if (filter == nullptr)
            fail(where, "an override without 'filter' says nothing of which tests it is for");
        const auto place = place_of(filter->source());
        const auto text = text_of("filter", *filter, false);
        override_rule rule{text, parse_expression(place + ": filter", text), place_of(where)};
        for (const auto& [key, value] : table)
            if (key.str() != "filter")
                read_override_key(rule, key, value);
        return rule;
    }

    void read_override_key(override_rule& into, const toml::key& key,
                           const toml::node& node) const {
        const auto through = [&](const char* name) {
            options scratch;
            with_place(key,
                       [&] { find_setting(name)->apply(scratch, text_of(name, node, false)); });
            return scratch;
        };
        if (key.str() == "timeout")
            into.timeout = through("timeout").timeout;
        else if (key.str() == "retries")
            into.retries = through("retries").retries;
        else if (key.str() == "threads-required")
            into.slots = through("jobs").jobs;
        else if (key.str() == "serial")
            read_serial(into, node);
        else
            fail_unknown(key, "key of an override", override_keys);
    }

    void read_serial(override_rule& into, const toml::node& node) const {
        if (const auto value = node.value_exact<bool>())
            into.is_serial = value;
        else if (const auto name = node.value_exact<std::string>(); name && !name->empty())
            into.group = name;
        else
            fail(node.source(), "serial: it is true, false or the name of a group");
    }

    std::string path_;
};

} // namespace

const profile* configuration::find(std::string_view name) const {
    for (const auto& one : profiles)
        if (one.name == name)
            return &one;
    return nullptr;
}

std::vector<std::string> configuration::profile_names() const {
    std::vector<std::string> names{"default", "ci"};
    for (const auto& one : profiles)
        if (std::find(names.begin(), names.end(), one.name) == names.end())
            names.push_back(one.name);
    return names;
}

std::string find_config_file() {
    std::error_code error;
    for (auto folder = fs::current_path(error); !error; folder = folder.parent_path()) {
        if (fs::is_regular_file(folder / config_name, error))
            return (folder / config_name).string();
        error.clear();
        if (folder == folder.parent_path())
            break;
    }
    return {};
}

configuration parse_configuration(std::string_view text, const std::string& shown_path) {
    try {
        return config_reader(shown_path).read(toml::parse(text, shown_path));
    } catch (const toml::parse_error& error) {
        throw expected_error(
            exit_code::usage,
            fmt::format("{}:{}: {}", shown_path, error.source().begin.line, error.description()));
    }
}

configuration read_configuration(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file || fs::is_directory(path))
        throw expected_error(exit_code::usage, path + ": this configuration file cannot be read");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return parse_configuration(text, path);
}

} // namespace bridge::cli
