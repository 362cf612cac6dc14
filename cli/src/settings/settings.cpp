// SPDX-License-Identifier: Apache-2.0
// The list of options.
#include "settings/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bridge/protocol/duration.hpp>

namespace bridge::cli {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

milliseconds to_duration(const std::string& text) {
    if (const auto value = protocol::parse_duration(text))
        return *value;
    throw bad_value(fmt::format("'{}' is not a duration; write it as 500ms, 5s, 2m or 1h", text));
}

unsigned to_count(const std::string& text, unsigned least, unsigned most) {
    unsigned count = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, count);
    if (parsed.ec != std::errc{} || parsed.ptr != end || count < least || count > most)
        throw bad_value(fmt::format("'{}' is not a number from {} to {}", text, least, most));
    return count;
}

std::string to_file(const std::string& text) {
    if (text.empty())
        throw bad_value("the name of the file is empty");
    return text;
}

// Which there are is for each binary to say.
std::string to_names(const std::string& text) {
    if (text.empty() || text.front() == ',' || text.back() == ',' || text.find(",,") != text.npos ||
        text.find(' ') != text.npos)
        throw bad_value(
            fmt::format("'{}' is not a list of names; write it as asyncio,uvloop", text));
    return text;
}

std::string to_seed(const std::string& text) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        throw bad_value(fmt::format("'{}' is not a number", text));
    return text;
}

// The first file of this name on PATH, for a name without a folder.
fs::path find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::string_view folders = path != nullptr && name.find('/') == name.npos ? path : "";
    while (!folders.empty()) {
        const auto end = folders.find(':');
        const auto program = fs::path(folders.substr(0, end)) / name;
        std::error_code error;
        if (fs::is_regular_file(program, error))
            return program;
        folders.remove_prefix(end == folders.npos ? folders.size() : end + 1);
    }
    return name;
}

// The folder of a virtual environment, or a python that is in none. Which version tests embed is
// not known here: they refuse the python of another one.
std::string to_python(const std::string& text) {
    std::error_code error;
    auto path = fs::exists(text, error) ? fs::path(text) : find_program(text);
    if (!fs::exists(path, error))
        throw bad_value(fmt::format("'{}' does not exist", text));
    path = fs::absolute(path, error).lexically_normal(); // not through links, as bin/python is one
    const bool is_folder = fs::is_directory(path, error);
    const auto folder = is_folder ? path : path.parent_path().parent_path();
    if (fs::exists(folder / "pyvenv.cfg", error))
        return folder.string();
    const auto python = is_folder ? folder / "bin" / "python3" : path;
    if (!fs::is_regular_file(python, error))
        throw bad_value(fmt::format("'{}' is no Python: there is neither {} nor {}", text,
                                    (folder / "pyvenv.cfg").string(), python.string()));
    return python.string();
}

template<class Value>
using choices = std::vector<std::pair<std::string, Value>>;

template<class Value>
Value to_choice(const choices<Value>& known, const std::string& text) {
    std::vector<std::string> words;
    for (const auto& [word, meaning] : known) {
        if (word == text)
            return meaning;
        words.push_back(word);
    }
    throw bad_value(fmt::format("'{}' is none of {}", text, fmt::join(words, ", ")));
}

std::string show(milliseconds value) {
    return protocol::format_duration(value);
}

std::string show(unsigned value) {
    return std::to_string(value);
}

std::string show(bool value) {
    return value ? "true" : "false";
}

std::string show(const std::string& value) {
    return value;
}

std::string show(const std::vector<std::string>& value) {
    return fmt::format("{}", fmt::join(value, ", "));
}

template<class Value>
std::string show(const std::optional<Value>& value) {
    return value ? show(*value) : std::string();
}

// A setting around one member; `read` makes its value of a text.
template<class Member, class Read>
setting plain(std::string flags, setting_group group, std::string value, std::string help,
              Member options::*member, Read read) {
    setting one{{}, std::move(flags), group, std::move(value), std::move(help), false, {}, {}, {}};
    one.apply = [=](options& to, const std::string& text) { to.*member = read(text); };
    one.show = [=](const options& from) { return show(from.*member); };
    return one;
}

setting list(std::string flags, std::string value, std::string help,
             std::vector<std::string> options::*member) {
    setting one{{},
                std::move(flags),
                setting_group::selection,
                std::move(value),
                std::move(help),
                true,
                {},
                {},
                {}};
    one.apply = [=](options& to, const std::string& text) { (to.*member).push_back(text); };
    one.show = [=](const options& from) { return show(from.*member); };
    return one;
}

template<class Value>
setting choice(std::string flags, setting_group group, std::string help, Value options::*member,
               choices<Value> known) {
    auto one = plain(std::move(flags), group, "WORD", std::move(help), &options::text, to_file);
    for (const auto& [word, meaning] : known)
        one.words.push_back(word);
    one.apply = [=](options& to, const std::string& text) { to.*member = to_choice(known, text); };
    one.show = [=](const options& from) {
        for (const auto& [word, meaning] : known)
            if (meaning == from.*member)
                return word;
        return std::string();
    };
    return one;
}

setting verbosity(std::string flags, std::string help, int level) {
    auto one = plain(std::move(flags), setting_group::output, "", std::move(help), &options::text,
                     to_file);
    one.apply = [=](options& to, const std::string& text) {
        if (to_switch(text))
            to.verbosity = level;
        else if (to.verbosity == level)
            to.verbosity = 0;
    };
    one.show = [=](const options& from) { return show(from.verbosity == level); };
    return one;
}

auto count_between(unsigned least, unsigned most) {
    return [=](const std::string& text) { return to_count(text, least, most); };
}

shard to_shard(const std::string& text) {
    if (const auto part = parse_shard(text))
        return *part;
    throw bad_value(fmt::format("'{}' is not a shard; write K/N, such as 1/4", text));
}

std::string show(const shard& value) {
    return value.describe();
}

void add_selection(std::vector<setting>& to) {
    constexpr auto group = setting_group::selection;
    to.push_back(
        list("--exact", "TEXT", "run the test with exactly this id (repeatable)", &options::exact));
    to.push_back(list("-E,--filter", "TEXT",
                      "only tests that fit, such as 'tag:net and not slow' (repeatable)",
                      &options::expressions));
    to.push_back(list("-t,--tag", "TEXT", "only tests with this tag; any of several (repeatable)",
                      &options::tags));
    to.push_back(
        list("--skip", "TEXT", "leave out tests that this word fits (repeatable)", &options::skip));
    to.push_back(plain("--failed,--last-failed", group, "",
                       "only tests that failed when they last ran", &options::only_failed,
                       to_switch));
    auto part = plain("--shard", group, "K/N",
                      "only the k-th of n parts (default: CI_NODE_INDEX of CI_NODE_TOTAL)",
                      &options::text, to_file);
    part.apply = [](options& into, const std::string& text) { into.part = to_shard(text); };
    part.show = [](const options& from) { return from.part ? show(*from.part) : ""; };
    to.push_back(std::move(part));
    to.push_back(plain("--state", group, "FILE",
                       "the file that verdicts and durations are remembered in "
                       "(default: bridge-test-state.json beside the manifest, "
                       "else in ~/.cache/bridge-test)",
                       &options::state, to_file));
}

void add_running(std::vector<setting>& to) {
    constexpr auto group = setting_group::running;
    to.push_back(
        plain("--python", group, "PATH",
              "the Python whose modules the tests have: a virtual environment, or a python of "
              "the version that they embed (default: VIRTUAL_ENV, else the one that they "
              "are linked to)",
              &options::python, to_python));
    to.push_back(plain("--loops", group, "NAME,...",
                       "every test under each of these loops that it is for: asyncio, "
                       "asyncio+debug, same-thread, uvloop (default: once, under asyncio)",
                       &options::loops, to_names));
    to.push_back(plain("--require-loops", group, "",
                       "a loop that is not installed fails its tests, instead of skipping them",
                       &options::requires_loops, to_switch));
    to.push_back(plain("--ignore-leaks", group, "PATTERN,...",
                       "what every test may leave behind, such as task:poller-*; counted in notes",
                       &options::ignored_leaks, [](const std::string& text) { return text; }));
    to.push_back(plain("--seed", group, "N", "the tests' random numbers (default: new ones)",
                       &options::seed, to_seed));
    to.push_back(plain("-j,--jobs", group, "N", "tests at the same time (default: one per core)",
                       &options::jobs, count_between(1, 4096)));
    to.push_back(
        choice<isolation_mode>("--isolation", group,
                               "process (default): one for each test; fork: a fork each of a "
                               "Python that has started; batch: many tests "
                               "in one; none: all in one, in place of bridge-test, for a debugger",
                               &options::isolation,
                               {{"process", isolation_mode::process},
                                {"fork", isolation_mode::fork},
                                {"batch", isolation_mode::batch},
                                {"none", isolation_mode::none}}));
    to.push_back(plain("--timeout", group, "TIME", "every test's time-out, instead of its own",
                       &options::timeout, to_duration));
    to.push_back(plain("--grace", group, "TIME",
                       "time beyond its time-out in which a test may explain itself (default: 2s)",
                       &options::grace, to_duration));
    to.push_back(plain("--slow", group, "TIME",
                       "mark tests that take longer than this (default: 5s)", &options::slow,
                       to_duration));
    to.push_back(plain("--run-timeout", group, "TIME", "end the whole run after this time",
                       &options::run_timeout, to_duration));
    to.push_back(plain("--max-fail", group, "N", "start no more tests after this many failures",
                       &options::max_fail, count_between(1, 1'000'000)));
    to.push_back(plain("--retries", group, "N",
                       "retry a failed test up to N times; one that then passes is flaky",
                       &options::retries, count_between(0, 1'000)));
    to.push_back(plain("--repeat", group, "N", "run every test N times", &options::repeat,
                       count_between(1, 1'000'000)));
    to.push_back(plain("--until-fail", group, "",
                       "repeat the tests until one fails (or --repeat times)",
                       &options::is_until_fail, to_switch));
    auto capture =
        plain("--no-capture", group, "", "let tests write to the terminal, one at a time",
              &options::is_capturing, [](const std::string& text) { return !to_switch(text); });
    capture.show = [](const options& from) { return show(!from.is_capturing); };
    to.push_back(std::move(capture));
}

void add_reports(std::vector<setting>& to) {
    constexpr auto group = setting_group::reports;
    to.push_back(plain("--junit", group, "FILE", "write a JUnit XML report to this file",
                       &options::junit, to_file));
    to.push_back(plain("--report-log", group, "FILE",
                       "write the run's events to this file, one JSON object a line",
                       &options::report_log, to_file));
    to.push_back(choice<github_mode>(
        "--github", group, "annotations and step summary: auto (in GitHub Actions), always, never",
        &options::github,
        {{"auto", github_mode::automatic},
         {"always", github_mode::always},
         {"never", github_mode::never}}));
    to.push_back(plain("--slowest", group, "N",
                       "show this many of the slowest tests at the end (default: none)",
                       &options::slowest, count_between(0, 1'000'000)));
}

void add_output(std::vector<setting>& to) {
    constexpr auto group = setting_group::output;
    to.push_back(plain("--list-timeout", group, "TIME",
                       "time for a binary to list its tests (default: 60s)", &options::list_timeout,
                       to_duration));
    to.push_back(choice<list_format>("--format", group, "of 'list': human or json",
                                     &options::format,
                                     {{"human", list_format::human}, {"json", list_format::json}}));
    to.push_back(choice<color_mode>("--color", group, "auto, always or never (auto obeys NO_COLOR)",
                                    &options::color,
                                    {{"auto", color_mode::automatic},
                                     {"always", color_mode::always},
                                     {"never", color_mode::never}}));
    to.push_back(verbosity("-v,--verbose", "show the output of passing tests too", 1));
    to.push_back(verbosity("-q,--quiet", "show failures and the summary only", -1));
}

// The first long flag is the name.
std::vector<setting> make_settings() {
    std::vector<setting> all;
    add_selection(all);
    add_running(all);
    add_reports(all);
    add_output(all);
    for (auto& one : all) {
        const auto begin = one.flags.find("--") + 2;
        one.name = one.flags.substr(begin, one.flags.find(',', begin) - begin);
    }
    return all;
}

} // namespace

bool to_switch(const std::string& text) {
    for (const char* yes : {"true", "1", "yes", "on"})
        if (text == yes)
            return true;
    for (const char* no : {"false", "0", "no", "off", ""})
        if (text == no)
            return false;
    throw bad_value(fmt::format("'{}' is neither true nor false", text));
}

std::string setting::variable() const {
    std::string text = "BRIDGE_TEST_";
    for (char one : name)
        text += one == '-' ? '_' : static_cast<char>(one - 'a' + 'A');
    return text;
}

const std::vector<setting>& all_settings() {
    static const auto settings = make_settings();
    return settings;
}

const setting* find_setting(std::string_view name) {
    const auto& all = all_settings();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> setting_names() {
    std::vector<std::string> names;
    for (const auto& one : all_settings())
        names.push_back(one.name);
    return names;
}

} // namespace bridge::cli
