// SPDX-License-Identifier: Apache-2.0
// One script a shell, from the list of options.
#include "settings/completions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "settings/help.hpp"
#include "settings/settings.hpp"

namespace bridge::cli {

namespace {

// An option as it is completed.
struct entry {
    std::vector<std::string> flags; ///< "-j", "--jobs"
    std::string value;              ///< empty: it has none
    std::string help;
    std::vector<std::string> words; ///< what the value may be, if it is one of few
    bool is_list = false;

    bool takes_file() const { return value == "FILE" || value == "PATH"; }
};

std::vector<std::string> split(const std::string& flags) {
    std::vector<std::string> all;
    for (std::size_t begin = 0, end = 0; end != flags.npos; begin = end + 1) {
        end = flags.find(',', begin);
        all.push_back(flags.substr(begin, end == flags.npos ? end : end - begin));
    }
    return all;
}

std::vector<entry> all_entries() {
    std::vector<entry> all;
    for (const auto& one : all_settings())
        all.push_back({split(one.flags), one.value, one.help, one.words, one.is_list});
    all.push_back({{"-P", "--profile"}, "NAME", "the profile of the configuration file", {}});
    all.push_back({{"--config"}, "FILE", "the configuration file", {}});
    all.push_back({{"-h", "--help"}, "", "show the options", {}});
    all.push_back({{"--version"}, "", "show the version", {}});
    return all;
}

std::vector<std::string_view> names_of_verbs() {
    std::vector<std::string_view> names;
    for (const auto& one : verb_words())
        names.push_back(one.name);
    return names;
}

// What `help` takes.
std::vector<std::string_view> names_of_topics() {
    auto names = names_of_verbs();
    for (const auto& one : help_topics())
        if (one.name != "completions") // it is a verb, too
            names.push_back(one.name);
    return names;
}

std::string escaped(std::string text, std::string_view special) {
    for (std::size_t at = 0; (at = text.find_first_of(special, at)) != text.npos; at += 2)
        text.insert(at, 1, '\\');
    return text;
}

// Within single quotes, of any shell.
std::string quoted(const std::string& text) {
    std::string all = "'";
    for (char one : text)
        all += one == '\'' ? std::string("'\\''") : std::string(1, one);
    return all + "'";
}

std::string bash_values() {
    std::string files, others, cases;
    for (const auto& one : all_entries()) {
        const auto flags = fmt::format("{}", fmt::join(one.flags, "|"));
        if (!one.words.empty())
            cases += fmt::format("        {}) words='{}' ;;\n", flags, fmt::join(one.words, " "));
        else if (one.takes_file())
            files += (files.empty() ? "" : "|") + flags;
        else if (!one.value.empty())
            others += (others.empty() ? "" : "|") + flags;
    }
    return cases + fmt::format("        {}) files=yes ;;\n        {}) return ;;\n", files, others);
}

std::string bash_script() {
    std::vector<std::string> flags;
    for (const auto& one : all_entries())
        flags.insert(flags.end(), one.flags.begin(), one.flags.end());
    return fmt::format(
        R"(_bridge_test() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words='' files=''
    if [[ $current == = ]]; then current=''
    elif [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    case $before in
{}        help) words='{}' ;;
        completions) words='{}' ;;
        *)
            files=yes
            if [[ $current == -* ]]; then files='' words='{}'
            elif [[ $COMP_CWORD == 1 ]]; then words='{}'
            fi ;;
    esac
    local IFS=$'\n'
    COMPREPLY=($(IFS=$' \n'; compgen -W "$words" -- "$current"; [[ -n $files ]] && compgen -f -- "$current"))
}}
complete -o filenames -F _bridge_test bridge-test
)",
        bash_values(), fmt::join(names_of_topics(), " "), fmt::join(shell_names(), " "),
        fmt::join(flags, " "), fmt::join(names_of_verbs(), " "));
}

std::string zsh_value(const entry& of) {
    if (of.value.empty())
        return {};
    if (!of.words.empty())
        return fmt::format(":{}:({})", of.value, fmt::join(of.words, " "));
    return fmt::format(":{}:{}", of.value, of.takes_file() ? "_files" : " ");
}

std::string zsh_option(const entry& of) {
    std::string text;
    for (const auto& flag : of.flags) {
        const auto exclusive = of.is_list ? "*" : fmt::format("({})", fmt::join(of.flags, " "));
        const char* equals = of.value.empty() ? "" : flag.starts_with("--") ? "=" : "+";
        text += "        " +
                quoted(fmt::format("{}{}{}[{}]{}", exclusive, flag, equals,
                                   escaped(of.help, "[]\\:"), zsh_value(of))) +
                " \\\n";
    }
    return text;
}

std::string zsh_script() {
    std::string options, verbs;
    for (const auto& one : all_entries())
        options += zsh_option(one);
    for (const auto& one : verb_words())
        verbs += fmt::format(" '{}:{}'", one.name, one.help);
    return fmt::format(
        R"(#compdef bridge-test
_bridge_test_word() {{
    if [[ $words[2] == help && CURRENT -eq 3 ]]; then compadd -- {}
    elif [[ $words[2] == completions ]]; then compadd -- {}
    elif (( CURRENT == 2 )); then
        local -a verbs=({})
        _describe verb verbs
        _files
    else _files
    fi
}}
_bridge_test() {{
    _arguments -s \
{}        '*: :_bridge_test_word'
}}
if [[ $funcstack[1] == _bridge_test ]]; then _bridge_test "$@"; else compdef _bridge_test bridge-test; fi
)",
        fmt::join(names_of_topics(), " "), fmt::join(shell_names(), " "), verbs, options);
}

std::string fish_option(const entry& of) {
    std::string text = "complete -c bridge-test";
    for (const auto& flag : of.flags)
        text += flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
    if (!of.words.empty())
        text += fmt::format(" -x -a '{}'", fmt::join(of.words, " "));
    else if (of.takes_file())
        text += " -r -F";
    else if (!of.value.empty())
        text += " -x";
    auto help = of.help;
    for (std::size_t at = 0; (at = help.find_first_of("'\\", at)) != help.npos; at += 2)
        help.insert(at, 1, '\\');
    return text + " -d '" + help + "'\n";
}

std::string fish_script() {
    std::string text;
    for (const auto& one : verb_words())
        text += fmt::format("complete -c bridge-test -n __fish_use_subcommand -a {} -d '{}'\n",
                            one.name, one.help);
    text += fmt::format("complete -c bridge-test -n '__fish_seen_subcommand_from help' -f -a '{}'\n"
                        "complete -c bridge-test -n '__fish_seen_subcommand_from completions' -f "
                        "-a '{}'\n",
                        fmt::join(names_of_topics(), " "), fmt::join(shell_names(), " "));
    for (const auto& one : all_entries())
        text += fish_option(one);
    return text;
}

} // namespace

const std::vector<verb_word>& verb_words() {
    static const std::vector<verb_word> words{
        {"run", "run tests"},
        {"list", "show tests"},
        {"merge", "report the logs of several runs as one"},
        {"show-config", "show all settings and their sources"},
        {"completions", "print the script of a shell"},
        {"help", "show the options, or a topic"},
    };
    return words;
}

const std::vector<std::string>& shell_names() {
    static const std::vector<std::string> names{"bash", "zsh", "fish"};
    return names;
}

std::string completion_script(const std::string& shell) {
    if (shell == "bash")
        return bash_script();
    return shell == "zsh" ? zsh_script() : fish_script();
}

} // namespace bridge::cli
