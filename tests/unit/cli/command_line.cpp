// SPDX-License-Identifier: Apache-2.0
// The command line: verbs, paths, filters, options, and every way to get it wrong.
#include "settings/command_line.hpp"

#include <cstdlib>

#include "base/error.hpp"
#include "check.hpp"

namespace {

using namespace bridge::cli;
using std::chrono::milliseconds;
using texts = std::vector<std::string>;

options parse(const texts& words) {
    std::vector<const char*> argv{"bridge-test"};
    for (const auto& word : words)
        argv.push_back(word.c_str());
    return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

std::string why_not(const texts& words) {
    try {
        parse(words);
    } catch (const expected_error& error) {
        CHECK(error.code() == exit_code::usage);
        return error.what();
    }
    return {};
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST("no words run everything, as many at a time as there are cores") {
    const auto settings = parse({});
    CHECK(settings.what == verb::run && settings.program == "bridge-test");
    CHECK(settings.jobs >= 1 && settings.is_capturing && settings.verbosity == 0);
    CHECK(settings.paths.empty() && settings.filters.empty() && settings.junit.empty());
    CHECK(settings.grace == milliseconds(2'000) && settings.list_timeout == milliseconds(60'000));
    CHECK(!settings.timeout && !settings.run_timeout && settings.max_fail == 0);
}

TEST("the first word may be a verb, later ones are not") {
    CHECK(parse({"run", "x"}).filters == texts{"x"});
    CHECK(parse({"list"}).what == verb::list);
    CHECK(parse({"-j2", "list"}).what == verb::list);
    const auto settings = parse({"run", "list", "help"});
    CHECK(settings.what == verb::run && settings.filters == texts({"list", "help"}));
}

TEST("help and version are texts") {
    for (const texts& words :
         {texts{"help"}, texts{"--help"}, texts{"-h"}, texts{"list", "--help"}}) {
        const auto settings = parse(words);
        CHECK(settings.what == verb::show_text && has(settings.text, "--junit"));
        CHECK(has(settings.text, "Exit codes: 0 passed"));
        for (const char* clutter : {"{", "UINT", "Excludes", " ..."})
            CHECK(!has(settings.text, clutter));
    }
    const auto version = parse({"--version"});
    CHECK(version.what == verb::show_text && has(version.text, "bridge-test 0."));
}

TEST("a word with a slash or of something that exists is a path, any other a filter") {
    const auto settings = parse({"/", ".", "none/such", "http.get"});
    CHECK(settings.paths == texts({"/", ".", "none/such"}));
    CHECK(settings.filters == texts{"http.get"});
}

TEST("every word after -- is a filter") {
    const auto settings = parse({"x", "--", ".", "--junit", "a/b", "--"});
    CHECK(settings.filters == texts({"x", ".", "--junit", "a/b", "--"}));
    CHECK(settings.paths.empty());
}

TEST("selection options repeat and take one word each") {
    const auto settings = parse(
        {"--exact", "s.a", "--exact=s.b", "--skip", "slow", "-t", "net", "--tag", "db", "rest"});
    CHECK(settings.exact == texts({"s.a", "s.b"}) && settings.skip == texts{"slow"});
    CHECK(settings.tags == texts({"net", "db"}) && settings.filters == texts{"rest"});
}

TEST("values of running options are read") {
    const auto settings =
        parse({"-j", "3", "--timeout", "500ms", "--grace=1", "--run-timeout", "2m", "--max-fail",
               "1", "--junit", "out.xml", "--list-timeout", "9s", "-v", "--color", "never"});
    CHECK(settings.jobs == 3 && settings.timeout == milliseconds(500));
    CHECK(settings.grace == milliseconds(1'000) && settings.run_timeout == milliseconds(120'000));
    CHECK(settings.max_fail == 1 && settings.junit == "out.xml" && settings.verbosity == 1);
    CHECK(settings.list_timeout == milliseconds(9'000) && settings.color == color_mode::never);
}

TEST("a switch can be switched off") {
    CHECK(parse({"--failed"}).only_failed && !parse({"--failed=false"}).only_failed);
    CHECK(parse({"--failed=false", "--failed"}).only_failed);
    CHECK(!parse({"--last-failed", "--failed=no"}).only_failed);
    CHECK(parse({"--no-capture=false"}).is_capturing && parse({"--verbose=false"}).verbosity == 0);
    CHECK(parse({"--quiet=false", "--verbose"}).verbosity == 1);
    CHECK(has(why_not({"--failed=perhaps"}), "--failed: 'perhaps' is neither true nor false"));
    ::setenv("BRIDGE_TEST_FAILED", "true", 1);
    ::setenv("BRIDGE_TEST_QUIET", "true", 1);
    const auto settings = parse({"--failed=false", "--quiet=false"});
    CHECK(!settings.only_failed && settings.verbosity == 0);
    ::unsetenv("BRIDGE_TEST_FAILED");
    ::unsetenv("BRIDGE_TEST_QUIET");
}

TEST("retries, rounds and a part are read, and what excludes each other is refused") {
    const auto settings =
        parse({"--retries", "0", "--repeat", "3", "--slow", "1s", "--shard", "2/4"});
    CHECK(settings.retries == 0U && settings.repeat == 3U && settings.slow == milliseconds(1'000));
    CHECK(settings.part && settings.part->describe() == "2/4");
    CHECK(parse({"--until-fail"}).is_until_fail && !parse({}).retries && !parse({}).part);
    CHECK(has(why_not({"--until-fail", "--retries", "1"}), "--until-fail and --retries exclude"));
    CHECK(
        has(why_not({"--shard", "5/4"}), "--shard: '5/4' is not a shard; write K/N, such as 1/4"));
    for (const char* value : {"-1", "x", "1.5"})
        CHECK(has(why_not({"--retries", value}), "--retries"));
    CHECK(has(why_not({"--repeat", "0"}), "--repeat"));
}

TEST("without capture tests run one at a time") {
    const auto settings = parse({"--no-capture", "-j", "8"});
    CHECK(!settings.is_capturing && settings.jobs == 1);
}

TEST("an unknown option is refused, with the near name if there is one") {
    CHECK(has(why_not({"--junti", "x"}), "unknown option '--junti'; did you mean '--junit'?"));
    CHECK(has(why_not({"--time-out=5s"}), "did you mean '--timeout'?"));
    CHECK(has(why_not({"--wholly-other"}), "unknown option '--wholly-other'\n"));
    CHECK(has(why_not({"-z"}), "unknown option '-z'"));
    CHECK(has(why_not({"list", "-z", "--help-me"}), "unknown option '-z'"));
}

TEST("an option that others have is told in our words") {
    for (const auto& [theirs, ours] : std::vector<std::pair<texts, std::string>>{
             {{"-x"}, "did you mean '--max-fail 1'?"},
             {{"--lf"}, "did you mean '--last-failed'?"},
             {{"--ff"}, "--failed runs those that failed, and no others"},
             {{"-s"}, "did you mean '--no-capture'?"},
             {{"--durations=10"}, "did you mean '--slowest'?"},
             {{"--collect-only"}, "did you mean 'bridge-test list'?"},
             {{"--junitxml", "out.xml"}, "did you mean '--junit'?"},
             {{"-n", "4"}, "did you mean '--jobs'?"},
             {{"-n4"}, "unknown option '-n'; did you mean '--jobs'?"},
             {{"--no-fail-fast"}, "all tests run, unless --max-fail N is given"},
             {{"-k", "net and not slow"}, "every word is a filter"},
             {{"--gtest_filter=net.*"}, "every word is a filter"},
             {{"-R", "net"}, "every word is a filter"},
             {{"--run-exact", "a.b"}, "did you mean '--exact'?"},
             {{"--rerun-failed"}, "did you mean '--last-failed'?"}})
        CHECK(has(why_not(theirs), ours));
}

TEST("every refusal says where the options are shown") {
    CHECK(has(why_not({"-z"}), "'bridge-test help' shows all options."));
    CHECK(has(why_not({"-j", "x"}), "'bridge-test help' shows all options."));
}

TEST("a value that does not fit is refused, with the option's name") {
    for (const char* option : {"--timeout", "--grace", "--run-timeout", "--list-timeout"}) {
        const auto text = why_not({option, "soon"});
        CHECK(has(text, std::string(option) + ": 'soon' is not a duration; write it as 500ms"));
        CHECK(!why_not({option, "0"}).empty());
        CHECK(has(why_not({option}), option));
    }
    for (const char* value : {"0", "-1", "5000", "x", "1.5", "99999999999999999999"})
        CHECK(has(why_not({"--jobs", value}), "--jobs"));
    for (const char* value : {"0", "-1", "x"})
        CHECK(has(why_not({"--max-fail", value}), "--max-fail"));
    CHECK(has(why_not({"--color", "red"}), "--color: 'red' is none of auto, always, never"));
    CHECK(has(why_not({"--color", "1"}), "--color: '1' is none of"));
    CHECK(has(why_not({"list", "--format", "xml"}), "--format: 'xml' is none of human, json"));
    CHECK(has(why_not({"--junit"}), "--junit"));
    CHECK(has(why_not({"--junit", ""}), "--junit"));
}

TEST("help knows verbs and topics") {
    for (const char* topic : {"filters", "isolation", "time-outs", "shards", "reports", "config",
                              "exit-codes", "completions"}) {
        const auto text = parse({"help", topic}).text;
        CHECK(text.size() > 100 && !has(text, "--list-timeout"));
        CHECK(has(parse({"help"}).text, std::string("\n  ") + topic + " "));
        for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != text.npos;
             begin = end + 1)
            CHECK(end - begin <= 100); // it fits a terminal
    }
    CHECK(has(parse({"help", "list"}).text, "--format"));
    const auto all = parse({"help"}).text;
    CHECK(has(all, "\n  bridge-test show-config                            show all settings"));
    CHECK(has(all, "\n\nRunning:\n  --python PATH "));
    CHECK(has(all, "\n  -j,--jobs N                 tests at the same time"));
    CHECK(has(all, "\n  -q,--quiet                  show"));
    CHECK(has(all, "\n10 a binary could not be listed, 12 "));
    CHECK(!has(all, " \n"));
    CHECK(!has(parse({"help", "list"}).text, "--junit"));
    CHECK(has(parse({"help", "merge"}).text, "--junit"));
    CHECK(!has(parse({"help", "merge"}).text, "--format"));
    CHECK(has(parse({"help", "run"}).text, "--until-fail"));
    CHECK(has(why_not({"help", "filter"}), "no verb or topic 'filter'; did you mean 'filters'?"));
    CHECK(has(why_not({"help", "exit-codes", "x"}), "one verb or topic at a time"));
}

TEST("completions name a shell") {
    for (const char* shell : {"bash", "zsh", "fish"}) {
        const auto settings = parse({"completions", shell});
        CHECK(settings.what == verb::show_text);
        for (const char* part : {"isolation", "process fork batch none", "show-config",
                                 "exit-codes", "last-failed", "profile"})
            CHECK(has(settings.text, part));
    }
    CHECK(has(why_not({"completions"}), "name a shell: bash, zsh or fish"));
    CHECK(has(why_not({"completions", "fishh"}), "none for 'fishh'; did you mean 'fish'?"));
    CHECK(has(why_not({"completions", "tcsh"}), "none for 'tcsh' (known: bash, zsh, fish)"));
}

TEST("quiet and verbose exclude each other") {
    CHECK(parse({"-q"}).verbosity == -1);
    CHECK(has(why_not({"-q", "-v"}), "exclude"));
}

TEST("an option that the verb would ignore is refused") {
    CHECK(parse({"list", "--format", "json"}).format == list_format::json);
    CHECK(has(why_not({"--format", "json"}), "--format belongs to 'bridge-test list'"));
    for (const texts& words : {texts{"--timeout", "5s"}, texts{"--junit", "x"},
                               texts{"--max-fail", "1"}, texts{"--no-capture"}}) {
        auto all = words;
        all.insert(all.begin(), "list");
        CHECK(has(why_not(all), words[0] + " has no meaning for 'bridge-test list'"));
    }
    CHECK(parse({"list", "-j", "2"}).jobs == 2);
}

} // namespace

int main() {
    ::setenv("BRIDGE_TEST_CONFIG", "/dev/null", 1); // not one of the folders above
    return check::run();
}
