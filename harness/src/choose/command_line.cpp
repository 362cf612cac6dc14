// SPDX-License-Identifier: Apache-2.0
#include "choose/command_line.hpp"

#include "choose/leak_kinds.hpp"

#include <bridge/protocol/duration.hpp>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace bridge::harness {

const char* const usage_text =
    R"(usage: TEST-BINARY [options] [FILTER...]

Runs the tests whose id contains any FILTER (all without one), in one process.

  --list                    list the tests instead
  --format human|json       how to list (human)
  --run-exact ID            run this test only (repeatable)
  --timeout DURATION        in place of each test's own (500ms, 5s, 2m)
  --loop NAME               the event loop: asyncio (the default), asyncio+debug, same-thread or
                            uvloop; also BRIDGE_TEST_LOOP
  --loops NAME,...          each test under each of these loops that it is for, as ID@NAME; one
                            that is not installed is skipped; also BRIDGE_TEST_LOOPS
  --require-loops           a loop that is not installed is a failure; also
                            BRIDGE_TEST_REQUIRE_LOOPS=1
  --seed N                  of the tests' random numbers and their order; also BRIDGE_TEST_SEED
  --shuffle                 in a random order
  --repeat N                run all of it N times, each time with the next seed
  --until-fail              run it again until a test fails, or --repeat times
  --concurrent N            N tests at once in one event loop: of those whose body it runs, and that
                            are neither serial nor in virtual time nor swept nor share a suite's
                            set-up
  --cancel-sweep            each test as if it said cancel_sweep(); also
                            BRIDGE_TEST_CANCEL_SWEEP=1
  --tape DRAW:CHOICE,...    of one test the run of its sweep that a failure names
  --ignore-leaks PATTERN,...
                            what every test may leave behind, as ignore_leaks() says it; also
                            BRIDGE_TEST_IGNORE_LEAKS
  --artifacts FOLDER        where tests leave files (bridge-test-artifacts); also
                            BRIDGE_TEST_ARTIFACTS
  --threads N               of the default runtime (as many as there are processors, at least
                            two); also BRIDGE_TEST_THREADS
  --event-fd N              report events to this descriptor, for bridge-test
  --serve batch|fork        run tests as they come over --control-fd N, for bridge-test
  --help                    this text

BRIDGE_TEST_DEBUG=1 turns asyncio's debug mode on; BRIDGE_TEST_PYTHON=PATH chooses the Python whose
modules the tests have.
Exit codes: 0 passed, 1 failed, 2 interrupted, 3 internal error, 4 usage, 5 no test matches,
77 all skipped, 124 timed out.
)";

namespace {

constexpr unsigned most_threads = 1000;
constexpr unsigned most_at_once = 1000;
constexpr unsigned most_rounds = 1'000'000;

class arguments {
public:
    arguments(int argc, const char* const* argv) : next_(argv + 1), end_(argv + argc) {
        if (argc == 0)
            next_ = end_;
    }

    bool empty() const { return next_ == end_; }

    std::string_view take() { return *next_++; }

    /// The value of an option: after `=`, or the next argument.
    std::string value_of(std::string_view option, std::optional<std::string_view> attached) {
        if (attached)
            return std::string(*attached);
        if (empty())
            throw usage_error("the option " + std::string(option) + " needs a value");
        return std::string(take());
    }

private:
    const char* const* next_;
    const char* const* end_;
};

detail::loop_name parse_loop(std::string_view name, const char* source) {
    if (const auto loop = detail::parse_loop(name))
        return *loop;
    std::string known;
    for (const auto one : detail::loop_names)
        known += (known.empty() ? "" : ", ") + std::string(one);
    throw usage_error(std::string(source) + " is '" + std::string(name) +
                      "', which is not one of " + known);
}

detail::loop_set parse_loops(std::string_view names, const char* source) {
    detail::loop_set loops;
    for (;;) {
        const auto comma = names.find(',');
        loops.add(parse_loop(names.substr(0, comma), source));
        if (comma == names.npos)
            return loops;
        names.remove_prefix(comma + 1);
    }
}

std::uint64_t parse_seed(std::string_view text, const char* source) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        throw usage_error(std::string(source) + " is '" + std::string(text) +
                          "', which is not a number");
    return number;
}

unsigned parse_count(std::string_view text, const char* source, unsigned most) {
    unsigned number = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end || number < 1 || number > most)
        throw usage_error(std::string(source) + " is '" + std::string(text) +
                          "', which is not a number from 1 to " + std::to_string(most));
    return number;
}

serving parse_serving(const std::string& text) {
    if (text == "batch")
        return serving::batch;
    if (text == "fork")
        return serving::fork;
    throw usage_error("--serve is '" + text + "', which is neither batch nor fork");
}

tape parse_tape(const std::string& text) {
    if (auto choices = tape::parse(text))
        return *std::move(choices);
    throw usage_error("--tape is '" + text +
                      "', which is not DRAW:CHOICE,... as a failure gives it");
}

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

int parse_descriptor(std::string_view option, const std::string& text) {
    int number = -1;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end || number < 0)
        throw usage_error(std::string(option) + " is '" + text + "', which is not a descriptor");
    return number;
}

std::chrono::milliseconds parse_timeout(const std::string& text) {
    if (const auto value = protocol::parse_duration(text))
        return *value;
    throw usage_error("--timeout is '" + text + "', which is not a duration: try 500ms, 5s or 2m");
}

bool parse_format(const std::string& text) {
    if (text != "json" && text != "human")
        throw usage_error("--format is '" + text + "', which is neither human nor json");
    return text == "json";
}

// Those between the commas.
void add_words(std::vector<std::string>& to, std::string_view text) {
    while (!text.empty()) {
        const auto comma = text.find(',');
        if (const auto word = text.substr(0, comma); !word.empty())
            to.emplace_back(word);
        text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
    }
}

void add_leaks(command_line& into, std::string_view text, std::string_view option) {
    std::vector<std::string> patterns;
    add_words(patterns, text);
    for (auto& one : patterns) {
        if (const auto why = why_no_leak_pattern(one))
            throw usage_error(std::string(option) + " has '" + one + "': " + *why);
        into.ignored_leaks.push_back(std::move(one));
    }
}

// Of bridge-test's, which users have written.
void read_environment(command_line& into) {
    if (const char* loop = std::getenv("BRIDGE_TEST_LOOP"); loop != nullptr && *loop != '\0')
        into.loop = parse_loop(loop, "BRIDGE_TEST_LOOP");
    if (const char* loops = std::getenv("BRIDGE_TEST_LOOPS"); loops != nullptr && *loops != '\0')
        into.loops = parse_loops(loops, "--loops (BRIDGE_TEST_LOOPS)");
    if (const char* seed = std::getenv("BRIDGE_TEST_SEED"); seed != nullptr && *seed != '\0')
        into.seed = parse_seed(seed, "BRIDGE_TEST_SEED");
    if (const char* leaks = std::getenv("BRIDGE_TEST_IGNORE_LEAKS"); leaks != nullptr)
        add_leaks(into, leaks, "--ignore-leaks (BRIDGE_TEST_IGNORE_LEAKS)");
    if (const char* folder = std::getenv("BRIDGE_TEST_ARTIFACTS"); folder != nullptr)
        into.artifacts = folder;
    into.requires_loops = is_set("BRIDGE_TEST_REQUIRE_LOOPS");
    into.cancel_sweep = is_set("BRIDGE_TEST_CANCEL_SWEEP");
    const char* threads = std::getenv("BRIDGE_TEST_THREADS");
    if (threads != nullptr && *threads != '\0')
        into.threads = parse_count(threads, "BRIDGE_TEST_THREADS", most_threads);
    into.debug = is_set("BRIDGE_TEST_DEBUG");
}

void read_option(command_line& into, std::string_view option,
                 std::optional<std::string_view> attached, arguments& rest) {
    const auto value = [&] { return rest.value_of(option, attached); };
    if (option == "--format")
        into.json = parse_format(value());
    else if (option == "--run-exact" || option == "--exact") // which is bridge-test's word
        into.exact.push_back(value());
    else if (option == "--timeout")
        into.timeout = parse_timeout(value());
    else if (option == "--loop")
        into.loop = parse_loop(value(), "--loop");
    else if (option == "--loops")
        into.loops = parse_loops(value(), "--loops");
    else if (option == "--require-loops" && !attached)
        into.requires_loops = true;
    else if (option == "--seed")
        into.seed = parse_seed(value(), "--seed");
    else if (option == "--concurrent")
        into.concurrent = parse_count(value(), "--concurrent", most_at_once);
    else if (option == "--cancel-sweep" && !attached)
        into.cancel_sweep = true;
    else if (option == "--tape")
        into.choices = parse_tape(value());
    else if (option == "--ignore-leaks")
        add_leaks(into, value(), "--ignore-leaks");
    else if (option == "--shuffle" && !attached)
        into.shuffled = true;
    else if (option == "--repeat")
        into.repeat = parse_count(value(), "--repeat", most_rounds);
    else if (option == "--until-fail" && !attached)
        into.until_fail = true;
    else if (option == "--artifacts")
        into.artifacts = value();
    else if (option == "--threads")
        into.threads = parse_count(value(), "--threads", most_threads);
    else if (option == "--event-fd")
        into.event_fd = parse_descriptor(option, value());
    else if (option == "--control-fd")
        into.control_fd = parse_descriptor(option, value());
    else if (option == "--serve")
        into.serve = parse_serving(value());
    else if (option == "--list" && !attached)
        into.list = true;
    else if ((option == "--help" || option == "-h") && !attached)
        into.help = true;
    else
        throw usage_error("there is no option " + std::string(option) + "; see --help");
}

} // namespace

command_line parse_command_line(int argc, const char* const* argv) {
    command_line result;
    read_environment(result);
    if (argc > 0)
        result.program = argv[0];
    arguments rest(argc, argv);
    bool options_end = false;
    while (!rest.empty()) {
        const auto word = rest.take();
        if (!options_end && word == "--") {
            options_end = true;
        } else if (options_end || word.size() < 2 || word[0] != '-') {
            result.filters.emplace_back(word);
        } else {
            const auto equals = word.find('=');
            std::optional<std::string_view> attached;
            if (equals != word.npos)
                attached = word.substr(equals + 1);
            read_option(result, word.substr(0, equals), attached, rest);
        }
    }
    if (!result.exact.empty() && !result.filters.empty())
        throw usage_error(
            "--run-exact runs the tests that it names: no filter may stand beside it");
    if (!result.choices.is_empty() && result.exact.size() != 1)
        throw usage_error("--tape is of one test: name it by --run-exact");
    if (result.concurrent > 1 && result.event_fd >= 0)
        throw usage_error("--concurrent is for a program that runs by itself; bridge-test runs "
                          "processes at once, by -j");
    if (result.serve.has_value() != (result.control_fd >= 0) ||
        (result.serve && (result.event_fd < 0 || !result.exact.empty() || !result.filters.empty())))
        throw usage_error(
            "--serve needs --control-fd and --event-fd, and takes its tests from there");
    return result;
}

} // namespace bridge::harness
