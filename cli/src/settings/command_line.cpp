// SPDX-License-Identifier: Apache-2.0
// The command line: one flat set of options, words that are verbs, paths or filters.
#include "settings/command_line.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/near_name.hpp"
#include "settings/completions.hpp"
#include "settings/help.hpp"
#include "settings/layers.hpp"
#include "settings/other_words.hpp"
#include "settings/settings.hpp"

namespace bridge::cli {

namespace fs = std::filesystem;

namespace {

constexpr auto description =
    "Runs the tests of harness binaries, each in a process of its own.\n"
    "\n"
    "  bridge-test [run] [BINARY|FOLDER...] [FILTER...]   run tests (the default)\n"
    "  bridge-test list  [BINARY|FOLDER...] [FILTER...]   show them\n"
    "  bridge-test merge LOG...                           report the logs of several runs as one\n"
    "  bridge-test show-config                            show all settings and their sources\n"
    "  bridge-test completions SHELL                      print the script for bash, zsh or fish\n"
    "  bridge-test help [VERB|TOPIC]                      show this, or more about one thing\n"
    "\n"
    "A word that names an existing file or folder, or has a '/', is a path; any other word, and\n"
    "every word after '--', is a filter: a part of a test's id, a glob of it (* and ?), or\n"
    "key:value with a key of name, suite, tag, host, binary or status. A folder stands for the\n"
    "binaries in its bridge-test-manifest.json; without a path, the current folder, ./build and\n"
    "./build/* are searched for one.\n";

constexpr auto exit_codes_footer =
    "\nExit codes: 0 passed, 1 failed, 2 interrupted, 3 internal error, 4 usage, 5 no tests,\n"
    "10 a binary could not be listed, 12 run time-out, 14 report not written.\n";

[[noreturn]] void refuse(const std::string& text) {
    throw expected_error(exit_code::usage, text + "\n'bridge-test help' shows all options.");
}

[[noreturn]] void refuse_name(const std::string& what, const std::string& name,
                              const std::vector<std::string>& known) {
    refuse(fmt::format("{} '{}'{} (known: {})", what, name, suggest(name, known),
                       fmt::join(known, ", ")));
}

const char* name_of(setting_group group) {
    switch (group) {
    case setting_group::selection:
        return "Selection";
    case setting_group::running:
        return "Running";
    case setting_group::reports:
        return "Reports";
    case setting_group::output:
        break;
    }
    return "Output and listing";
}

bool is_of_list(const setting& what) {
    return what.group == setting_group::selection || what.group == setting_group::output ||
           what.name == "jobs" || what.name == "python" || what.name == "loops";
}

bool is_of_merge(const setting& what) {
    return what.group == setting_group::reports ||
           (what.group == setting_group::output && what.name != "format" &&
            what.name != "list-timeout");
}

// CLI11's own help looks different from version to version, and 2.6 joins the lines of our texts.
std::string list_options(const CLI::App& app) {
    std::string text;
    for (const auto& group : app.get_groups()) {
        std::string lines;
        for (const auto* one :
             app.get_options([&](const CLI::Option* o) { return o->get_group() == group; })) {
            const auto name =
                fmt::format("{} {}", one->get_name(false, true), one->get_type_name());
            lines += fmt::format("  {:<27} {}\n", name, one->get_description());
        }
        if (!group.empty() && !lines.empty())
            text += fmt::format("\n{}:\n{}", group, lines);
    }
    return text;
}

std::string help_text(const CLI::App& app) {
    return fmt::format("{}\nUsage: bridge-test [VERB] [OPTION|WORD...]\n{}{}"
                       "\nTopics of 'bridge-test help':\n{}",
                       description, list_options(app), exit_codes_footer, list_topics());
}

class command_line {
public:
    command_line() {
        app_.allow_extras();
        app_.add_option("WORDS", words_, "a verb, paths and filters")->group("");
        for (const auto& one : all_settings())
            add(one);
        add_general();
    }

    options parse(int argc, const char* const* argv);

private:
    void add(const setting& what);
    void add_general();
    static void refuse_empty_values(const std::vector<std::string>& arguments);
    void parse_words(std::vector<std::string> arguments);
    void refuse_unknown() const;
    void refuse_what_the_verb_ignores() const;
    void refuse_what_excludes_each_other() const;
    void refuse_files_of_two_uses() const;
    void take_verb();
    void take_help();
    void take_completions();
    void hide_what(bool (*is_of_verb)(const setting&));
    void show(std::string text);
    void sort_words(const std::vector<std::string>& after_dashes);

    options result_;
    given_options given_;
    std::vector<std::string> words_;
    CLI::App app_;
};

void command_line::add(const setting& what) {
    CLI::Option* option = nullptr;
    auto& texts = given_; // filled when the option is met
    if (what.is_switch())
        option = app_.add_option(
                         what.flags,
                         [&texts, &what](const CLI::results_t& given) {
                             texts[what.name] = {given.back()}; // "true", or what stands after `=`
                             return true;
                         },
                         what.help)
                     ->expected(0)
                     ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    else
        option =
            app_.add_option_function<std::string>(
                    what.flags,
                    [&texts, &what](const std::string& text) { texts[what.name].push_back(text); },
                    what.help)
                ->type_name(what.value);
    if (what.is_list)
        option->trigger_on_parse(); // or it could be given but once
    option->group(name_of(what.group));
}

void command_line::add_general() {
    const auto add_text = [this](const char* flags, const char* value, const char* name,
                                 const char* help) {
        app_.add_option_function<std::string>(
                flags, [this, name](const std::string& text) { given_[name] = {text}; }, help)
            ->type_name(value)
            ->group("Configuration");
    };
    add_text("-P,--profile", "NAME", "profile", "the profile of the configuration file");
    add_text("--config", "FILE", "config",
             "the configuration file (default: the nearest bridge-test.toml, here or above)");
    app_.set_help_flag("-h,--help", "show this")->group("Configuration");
    app_.add_flag_callback(
            "--version", [this] { show("bridge-test " BRIDGE_TEST_VERSION "\n"); },
            "show the version")
        ->group("Configuration");
}

void command_line::show(std::string text) {
    result_.what = verb::show_text;
    result_.text = std::move(text);
}

// CLI11 would take the next word for the value, and a report would replace the binary named there.
void command_line::refuse_empty_values(const std::vector<std::string>& arguments) {
    for (const auto& word : arguments)
        if (word.starts_with("--") && word.ends_with('='))
            refuse(fmt::format("{} has no value; write one, or leave the option out",
                               word.substr(0, word.size() - 1)));
}

void command_line::parse_words(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end()); // as CLI11 wants them
    try {
        app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        show(help_text(app_));
    } catch (const CLI::ParseError& error) {
        refuse(error.what());
    }
}

void command_line::refuse_unknown() const {
    for (const auto& word : app_.remaining()) {
        if (word.size() < 2 || word.front() != '-')
            continue;
        const bool is_short = word[1] != '-'; // its value may be attached
        const auto name = is_short ? word.substr(0, 2) : word.substr(0, word.find('='));
        if (const auto ours = our_word_for(name); !ours.empty())
            refuse(fmt::format("unknown option '{}'{}", name, ours));
        std::vector<std::string> known;
        for (const auto* option : app_.get_options())
            for (const auto& one : option->get_lnames())
                known.push_back("--" + one);
        refuse(fmt::format("unknown option '{}'{}", name, suggest(name, known)));
    }
}

void command_line::refuse_what_the_verb_ignores() const {
    if (result_.what == verb::run && given_.count("format") > 0)
        refuse("--format belongs to 'bridge-test list'");
    const bool is_list = result_.what == verb::list;
    if (!is_list && result_.what != verb::merge)
        return;
    for (const auto& what : all_settings())
        if (given_.count(what.name) > 0 && !(is_list ? is_of_list(what) : is_of_merge(what)))
            refuse(fmt::format("--{} has no meaning for 'bridge-test {}'", what.name,
                               is_list ? "list" : "merge"));
}

void command_line::refuse_what_excludes_each_other() const {
    const auto is_on = [this](const char* name) {
        const auto found = given_.find(name);
        return found != given_.end() && to_switch(found->second.back());
    };
    if (is_on("quiet") && is_on("verbose"))
        refuse("--quiet and --verbose exclude each other");
    if (result_.is_until_fail && result_.source_of("retries") == layer::command_line)
        refuse("--until-fail and --retries exclude each other");
}

bool is_program(const fs::path& path) {
    std::error_code error;
    const auto status = fs::status(path, error);
    constexpr auto any = fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
    return fs::is_regular_file(status) && (status.permissions() & any) != fs::perms::none;
}

// A file that is written must be no other one, and not what was meant to be run.
void command_line::refuse_files_of_two_uses() const {
    std::map<fs::path, std::string> known;
    for (const auto& [name, path] :
         {std::pair("junit", &result_.junit), std::pair("report-log", &result_.report_log),
          std::pair("state", &result_.state)}) {
        if (path->empty() || path->starts_with("/dev/"))
            continue;
        if (is_program(*path))
            refuse(fmt::format("--{}: {} is a program; name another file", name, *path));
        std::error_code error;
        const auto [first, is_new] =
            known.emplace(fs::weakly_canonical(fs::absolute(*path, error), error), name);
        if (!is_new)
            refuse(fmt::format("--{} and --{} name the same file", first->second, name));
    }
}

void command_line::take_verb() {
    if (words_.empty() || result_.what == verb::show_text)
        return;
    const auto& word = words_.front();
    if (word == "help")
        take_help();
    else if (word == "completions")
        take_completions();
    else if (word == "list")
        result_.what = verb::list;
    else if (word == "merge")
        result_.what = verb::merge;
    else if (word == "show-config")
        result_.what = verb::show_config;
    else if (word != "run")
        return;
    words_.erase(words_.begin());
}

void command_line::hide_what(bool (*is_of_verb)(const setting&)) {
    for (const auto& one : all_settings())
        if (!is_of_verb(one))
            app_.get_option("--" + one.name)->group("");
}

void command_line::take_help() {
    if (words_.size() > 2)
        refuse("help: one verb or topic at a time");
    const auto name = words_.size() < 2 ? std::string("run") : words_[1];
    if (const auto* topic = find_topic(name))
        return show(std::string(topic->text));
    if (name == "list")
        hide_what(&is_of_list);
    else if (name == "merge")
        hide_what(&is_of_merge);
    else if (name != "run" && name != "show-config" && name != "help") {
        std::vector<std::string> known;
        for (const auto& one : verb_words())
            known.emplace_back(one.name);
        for (const auto& one : help_topics())
            if (one.name != "completions") // it is a verb, too
                known.emplace_back(one.name);
        refuse_name("help: there is no verb or topic", name, known);
    }
    show(help_text(app_));
}

void command_line::take_completions() {
    const auto& known = shell_names();
    if (words_.size() != 2)
        refuse("completions: name a shell: bash, zsh or fish");
    if (std::find(known.begin(), known.end(), words_[1]) == known.end())
        refuse_name("completions: there are none for", words_[1], known);
    show(completion_script(words_[1]));
}

void command_line::sort_words(const std::vector<std::string>& after_dashes) {
    for (const auto& word : words_) {
        std::error_code ignored;
        const bool is_path = result_.what == verb::merge || word.find('/') != std::string::npos ||
                             fs::exists(word, ignored);
        (is_path ? result_.paths : result_.filters).push_back(word);
    }
    auto& rest = result_.what == verb::merge ? result_.paths : result_.filters;
    rest.insert(rest.end(), after_dashes.begin(), after_dashes.end());
}

options command_line::parse(int argc, const char* const* argv) {
    result_.program = argv[0];
    result_.jobs = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    std::vector<std::string> after;
    if (dashes != arguments.end())
        after.assign(dashes + 1, arguments.end());
    refuse_empty_values({arguments.begin(), dashes});
    parse_words({arguments.begin(), dashes});
    refuse_unknown();
    take_verb();
    if (result_.what == verb::show_text)
        return result_;
    refuse_what_the_verb_ignores();
    apply_layers(result_, given_);
    refuse_what_excludes_each_other();
    refuse_files_of_two_uses();
    sort_words(after);
    if (result_.what == verb::merge && result_.paths.empty())
        refuse("merge: name the report logs to merge (--report-log of a run writes one)");
    if (!result_.is_capturing)
        result_.jobs = 1;
    return result_;
}

} // namespace

options parse_command_line(int argc, const char* const* argv) {
    return command_line().parse(argc, argv);
}

} // namespace bridge::cli
