// SPDX-License-Identifier: Apache-2.0
#include "choose/reproduction.hpp"

#include <bridge/protocol/duration.hpp>

namespace bridge::harness {
namespace {

// As one word of a shell.
std::string quote(std::string_view word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "_-./+=,:@%";
    if (!word.empty() && word.find_first_not_of(plain) == word.npos)
        return std::string(word);
    std::string quoted = "'";
    for (const char c : word)
        quoted += c == '\'' ? "'\\''" : std::string(1, c);
    return quoted + "'";
}

// What was said about how tests run, by options or by the environment.
std::string program_with_options(const command_line& options) {
    std::string line = options.debug ? "BRIDGE_TEST_DEBUG=1 " : "";
    line += quote(options.program);
    if (options.loop != command_line().loop)
        line += " --loop " + std::string(to_string(options.loop));
    if (options.threads)
        line += " --threads " + std::to_string(*options.threads);
    if (options.timeout)
        line += " --timeout " + protocol::format_duration(*options.timeout);
    if (options.requires_loops)
        line += " --require-loops";
    for (const auto& one : options.ignored_leaks)
        line += " --ignore-leaks " + quote(one);
    return line;
}

} // namespace

std::string loops_option(const command_line& options) {
    std::string names;
    for (std::size_t i = 0; i < detail::loop_names.size(); ++i)
        if (options.loops.has(static_cast<detail::loop_name>(i)))
            names += (names.empty() ? "" : ",") + std::string(detail::loop_names[i]);
    return names.empty() ? names : " --loops " + names;
}

std::string line_of_test(const command_line& options, std::string_view id, std::uint64_t seed,
                         const tape& choices) {
    auto line = program_with_options(options) + " --run-exact " + quote(id) + " --seed " +
                std::to_string(seed);
    if (!choices.is_empty())
        return line + " --tape " + choices.text();
    return options.cancel_sweep ? line + " --cancel-sweep" : line;
}

std::string line_of_run(const command_line& options, std::uint64_t seed) {
    auto line =
        program_with_options(options) + loops_option(options) +
        (options.shuffled ? " --shuffle" : "") + " --seed " + std::to_string(seed) +
        (options.concurrent > 1 ? " --concurrent " + std::to_string(options.concurrent) : "") +
        (options.cancel_sweep ? " --cancel-sweep" : "");
    for (const auto& one : options.exact)
        line += " --run-exact " + quote(one);
    if (!options.filters.empty())
        line += " --";
    for (const auto& one : options.filters)
        line += " " + quote(one);
    return line;
}

} // namespace bridge::harness
