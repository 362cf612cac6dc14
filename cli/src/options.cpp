// SPDX-License-Identifier: Apache-2.0
// The command line: one flat set of options, words that are verbs, paths or filters.
#include "options.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/duration.hpp>

#include "error.hpp"
#include "near_name.hpp"

namespace bridge::cli {

namespace {

constexpr auto description =
    "Runs the tests of harness binaries, each in a process of its own.\n"
    "\n"
    "  bridge-test [run] [BINARY|FOLDER...] [FILTER...]   run tests (the default)\n"
    "  bridge-test list  [BINARY|FOLDER...] [FILTER...]   show them\n"
    "  bridge-test help                                   show this\n"
    "\n"
    "A word that names an existing file or folder, or has a '/', is a path; any other word, and\n"
    "every word after '--', is a filter: a part of a test's id, a glob of it (* and ?), or\n"
    "key:value with a key of name, suite, tag, host, binary or status. A folder stands for the\n"
    "binaries in its bridge-test-manifest.json; without a path, the current folder, ./build and\n"
    "./build/* are searched for one.\n";

constexpr auto exit_codes =
    "\nExit codes: 0 passed, 1 failed, 2 interrupted, 3 internal error, 4 usage, 5 no tests,\n"
    "10 a binary could not be listed, 12 run time-out, 14 report not written.\n";

[[noreturn]] void refuse(const std::string& text) {
    throw expected_error(exit_code::usage, text + "\n'bridge-test help' shows all options.");
}

std::chrono::milliseconds to_duration(const std::string& name, const std::string& text) {
    if (const auto value = protocol::parse_duration(text))
        return *value;
    refuse(fmt::format("{}: '{}' is not a duration; write it as 500ms, 5s, 2m or 1h", name, text));
}

template<class Value>
using choices = std::vector<std::pair<std::string, Value>>;

class command_line {
public:
    command_line() : app_(description, "bridge-test") {
        app_.allow_extras();
        app_.footer(exit_codes);
        app_.add_option("WORDS", words_, "a verb, paths and filters")->group("");
        add_selection();
        add_running();
        add_output();
    }

    options parse(int argc, const char* const* argv);

private:
    void add_selection();
    void add_running();
    void add_output();
    template<class Duration>
    void add_duration(const char* name, Duration& value, const char* help);
    void add_count(const char* name, std::optional<unsigned>& value, unsigned least,
                   const char* help);
    template<class Value>
    void add_choice(const char* name, Value& value, const char* help, choices<Value> known);
    void add_texts(const char* name, std::vector<std::string>& value, const char* help);
    void parse_words(std::vector<std::string> arguments);
    void refuse_unknown() const;
    void refuse_what_list_ignores() const;
    void take_verb();
    void sort_words(const std::vector<std::string>& after_dashes);

    options result_;
    std::vector<std::string> words_;
    CLI::App app_;
};

void command_line::add_texts(const char* name, std::vector<std::string>& value, const char* help) {
    app_.add_option_function<std::string>(
            name, [&value](const std::string& text) { value.push_back(text); }, help)
        ->trigger_on_parse() // or it could be given but once
        ->type_name("TEXT")
        ->group("Selection");
}

template<class Duration>
void command_line::add_duration(const char* name, Duration& value, const char* help) {
    app_.add_option_function<std::string>(
            name, [name, &value](const std::string& text) { value = to_duration(name, text); },
            help)
        ->type_name("TIME")
        ->group("Running");
}

void command_line::add_count(const char* name, std::optional<unsigned>& value, unsigned least,
                             const char* help) {
    app_.add_option_function<unsigned>(
            name, [&value](unsigned count) { value = count; }, help)
        ->check(CLI::Range(least, 1'000'000U).description(""))
        ->type_name("N")
        ->group("Running");
}

template<class Value>
void command_line::add_choice(const char* name, Value& value, const char* help,
                              choices<Value> known) {
    app_.add_option_function<std::string>(
            name,
            [=, &value](const std::string& text) {
                std::vector<std::string> words;
                for (const auto& [word, meaning] : known) {
                    words.push_back(word);
                    if (word == text)
                        value = meaning;
                }
                if (std::find(words.begin(), words.end(), text) == words.end())
                    refuse(
                        fmt::format("{}: '{}' is none of {}", name, text, fmt::join(words, ", ")));
            },
            help)
        ->type_name("WORD")
        ->group("Output and listing");
}

void command_line::add_selection() {
    add_texts("--exact", result_.exact, "run the test with exactly this id (repeatable)");
    add_texts("--skip", result_.skip, "leave out tests that this word fits (repeatable)");
    app_.add_option_function<std::string>(
            "--shard",
            [this](const std::string& text) {
                result_.part = parse_shard(text);
                if (!result_.part)
                    refuse(
                        fmt::format("--shard: '{}' is no part of a whole; write it as 1/4", text));
            },
            "only the k-th of n parts of the tests (default: CI_NODE_INDEX of CI_NODE_TOTAL)")
        ->type_name("K/N")
        ->group("Selection");
    add_texts("-t,--tag", result_.tags, "only tests with this tag; any of several (repeatable)");
    add_texts("-E,--filter", result_.expressions,
              "only tests that fit, such as 'tag:net and not slow' (repeatable)");
    app_.add_flag_callback(
            "--failed,--last-failed", [this] { result_.only_failed = true; },
            "only tests that failed when they last ran")
        ->group("Selection");
    app_.add_option("--state", result_.state,
                    "the file that verdicts and durations are remembered in "
                    "(default: bridge-test-state.json beside the manifest)")
        ->type_name("FILE")
        ->group("Selection");
}

void command_line::add_running() {
    result_.jobs = std::max(1U, std::thread::hardware_concurrency());
    app_.add_option("-j,--jobs", result_.jobs, "tests at the same time (default: one per core)")
        ->check(CLI::Range(1U, 4096U).description(""))
        ->type_name("N")
        ->group("Running");
    add_duration("--timeout", result_.timeout, "every test's time-out, instead of its own");
    add_duration("--grace", result_.grace,
                 "time beyond its time-out in which a test may explain itself (default: 2s)");
    add_duration("--run-timeout", result_.run_timeout, "end the whole run after this time");
    app_.add_option("--max-fail", result_.max_fail, "start no more tests after this many failures")
        ->check(CLI::Range(1U, 1'000'000U).description(""))
        ->type_name("N")
        ->group("Running");
    add_count("--retries", result_.retries, 0,
              "try a failed test again so often; then it is flaky");
    add_count("--repeat", result_.repeat, 1, "run every test so often");
    app_.add_flag_callback(
            "--until-fail", [this] { result_.is_until_fail = true; },
            "repeat the tests until one fails (or --repeat times)")
        ->group("Running");
    add_duration("--slow", result_.slow, "mark tests that take longer than this (default: 5s)");
    app_.add_flag_callback(
            "--no-capture", [this] { result_.is_capturing = false; },
            "let tests write to the terminal, one at a time")
        ->group("Running");
    app_.add_option("--junit", result_.junit, "write a JUnit XML report to this file")
        ->type_name("FILE")
        ->group("Running");
}

void command_line::add_output() {
    app_.add_option_function<std::string>(
            "--list-timeout",
            [this](const std::string& text) {
                result_.list_timeout = to_duration("--list-timeout", text);
            },
            "time for a binary to list its tests (default: 60s)")
        ->type_name("TIME")
        ->group("Output and listing");
    add_choice<list_format>("--format", result_.format, "of 'list': human or json",
                            {{"human", list_format::human}, {"json", list_format::json}});
    add_choice<color_mode>("--color", result_.color, "auto, always or never (auto obeys NO_COLOR)",
                           {{"auto", color_mode::automatic},
                            {"always", color_mode::always},
                            {"never", color_mode::never}});
    app_.add_flag_callback(
            "-v,--verbose", [this] { ++result_.verbosity; }, "show the output of passing tests too")
        ->group("Output and listing");
    app_.add_flag_callback(
            "-q,--quiet", [this] { --result_.verbosity; }, "show failures and the summary only")
        ->group("Output and listing");
    app_.set_help_flag("-h,--help", "show this")->group("Output and listing");
    app_.add_flag_callback(
            "--version",
            [this] {
                result_.what = verb::show_text;
                result_.text = "bridge-test " BRIDGE_TEST_VERSION "\n";
            },
            "show the version")
        ->group("Output and listing");
}

void command_line::parse_words(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end()); // as CLI11 wants them
    try {
        app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        result_.what = verb::show_text;
        result_.text = app_.help();
    } catch (const CLI::ParseError& error) {
        refuse(error.what());
    }
}

void command_line::refuse_unknown() const {
    for (const auto& word : app_.remaining()) {
        if (word.size() < 2 || word.front() != '-')
            continue;
        const auto name = word.substr(0, word.find('='));
        std::vector<std::string> known;
        for (const auto* option : app_.get_options())
            for (const auto& one : option->get_lnames())
                known.push_back("--" + one);
        const auto near = near_name(name, known);
        refuse(fmt::format("unknown option '{}'{}", name,
                           near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }
}

void command_line::refuse_what_list_ignores() const {
    if (result_.what == verb::run && app_.count("--format") > 0)
        refuse("--format belongs to 'bridge-test list'");
    if (result_.what != verb::list)
        return;
    for (const auto* option : app_.get_options())
        if (option->get_group() == "Running" && option->count() > 0 &&
            option->get_name() != "--jobs")
            refuse(option->get_name() + " has no meaning for 'bridge-test list'");
}

void command_line::take_verb() {
    if (words_.empty() || result_.what == verb::show_text)
        return;
    if (words_.front() == "help") {
        result_.what = verb::show_text;
        result_.text = app_.help();
    } else if (words_.front() == "list") {
        result_.what = verb::list;
    } else if (words_.front() != "run") {
        return;
    }
    words_.erase(words_.begin());
}

void command_line::sort_words(const std::vector<std::string>& after_dashes) {
    for (const auto& word : words_) {
        std::error_code ignored;
        const bool is_path =
            word.find('/') != std::string::npos || std::filesystem::exists(word, ignored);
        (is_path ? result_.paths : result_.filters).push_back(word);
    }
    result_.filters.insert(result_.filters.end(), after_dashes.begin(), after_dashes.end());
}

options command_line::parse(int argc, const char* const* argv) {
    result_.program = argv[0];
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    std::vector<std::string> after;
    if (dashes != arguments.end())
        after.assign(dashes + 1, arguments.end());
    parse_words({arguments.begin(), dashes});
    refuse_unknown();
    take_verb();
    refuse_what_list_ignores();
    if (app_.count("--quiet") > 0 && app_.count("--verbose") > 0)
        refuse("--quiet and --verbose exclude each other");
    if (app_.count("--junit") > 0 && result_.junit.empty())
        refuse("--junit: the name of the file is empty");
    if (result_.is_until_fail && result_.retries)
        refuse("--until-fail and --retries exclude each other");
    if (!result_.part)
        result_.part = shard_of_environment();
    sort_words(after);
    if (!result_.is_capturing)
        result_.jobs = 1;
    return result_;
}

} // namespace

options parse_options(int argc, const char* const* argv) {
    return command_line().parse(argc, argv);
}

} // namespace bridge::cli
