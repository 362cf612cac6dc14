// SPDX-License-Identifier: Apache-2.0
// Layers, from the file up to the command line.
#include "settings/layers.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/near_name.hpp"
#include "settings/bazel.hpp"
#include "settings/settings.hpp"

namespace bridge::cli {

namespace {

struct candidate_value {
    std::vector<std::string> texts;
    setting_source source;
};

std::string from_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? value : "";
}

// The option of the command line, else the variable.
std::string first_of(const given_options& given, const char* option, const char* variable) {
    const auto found = given.find(option);
    return found != given.end() ? found->second.back() : from_environment(variable);
}

void choose_profile(options& to, const configuration& file, const given_options& given) {
    const auto wanted = first_of(given, "profile", "BRIDGE_TEST_PROFILE");
    if (wanted.empty())
        return;
    const auto known = file.profile_names();
    if (std::find(known.begin(), known.end(), wanted) == known.end())
        throw expected_error(exit_code::usage,
                             fmt::format("there is no profile '{}'{}; {} {}", wanted,
                                         suggest(wanted, known),
                                         file.path.empty() ? "without a bridge-test.toml there are"
                                                           : file.path + " has",
                                         fmt::join(known, ", ")));
    to.profile = wanted;
}

class layered {
public:
    void put(const setting& what, candidate_value value) {
        values_.insert_or_assign(what.name, std::move(value));
    }

    void put_profile(const profile* from) {
        if (from == nullptr)
            return;
        for (const auto& one : from->settings)
            put(*find_setting(one.name), {one.texts, {layer::file, one.place}});
    }

    void put_environment() {
        for (const auto& what : all_settings())
            if (const auto value = from_environment(what.variable()); !value.empty())
                put(what, {{value}, {layer::environment, what.variable()}});
    }

    void put_command_line(const given_options& given) {
        for (const auto& what : all_settings())
            if (const auto found = given.find(what.name); found != given.end())
                put(what, {found->second, {layer::command_line, "--" + what.name}});
    }

    // Layer by layer, as -q and -v set the same.
    void apply(options& to) const {
        for (auto from : {layer::file, layer::environment, layer::command_line})
            for (const auto& [name, value] : values_)
                if (value.source.from == from)
                    apply(to, *find_setting(name), value);
    }

private:
    static void apply(options& to, const setting& what, const candidate_value& value) {
        try {
            for (const auto& text : value.texts)
                what.apply(to, text);
        } catch (const bad_value& error) {
            const auto* advice = value.source.from == layer::command_line
                                     ? "\n'bridge-test help' shows all options."
                                     : "";
            throw expected_error(exit_code::usage,
                                 fmt::format("{}: {}{}", value.source.place, error.what(), advice));
        }
        to.sources[what.name] = value.source;
    }

    std::map<std::string, candidate_value> values_;
};

void add_overrides(options& to, const profile* from) {
    if (from != nullptr)
        to.overrides.insert(to.overrides.end(), from->overrides.begin(), from->overrides.end());
}

} // namespace

void apply_layers(options& to, const given_options& given) {
    auto path = first_of(given, "config", "BRIDGE_TEST_CONFIG");
    to.is_config_named = !path.empty();
    if (path.empty())
        path = find_config_file();
    const auto file = path.empty() ? configuration() : read_configuration(path);
    to.config_file = file.path;
    choose_profile(to, file, given);

    layered all;
    all.put_profile(file.find("default"));
    if (to.profile != "default") {
        all.put_profile(file.find(to.profile));
        add_overrides(to, file.find(to.profile));
    }
    add_overrides(to, file.find("default"));
    all.put_environment();
    all.put_command_line(given);
    all.apply(to);
    if (!to.part && !is_bazel()) {
        to.part = shard_of_environment();
        if (to.part)
            to.sources["shard"] = {layer::environment, "the CI system's variables"};
    }
}

} // namespace bridge::cli
