// SPDX-License-Identifier: Apache-2.0
// By addr2line in a child of the process, as LLVM's handler does it: that works under every runner
// and without one, while the program is still there with its libraries where they are. A library
// that reads debug information in the process would allocate, where the allocator may have crashed.
// Only what is async-signal-safe, or has been done once before.
#include "run/code_lines.hpp"

#include "run/stacks.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace bridge::harness {
namespace {

constexpr unsigned longest_answer = 3; // seconds
constexpr int most_frames = 64;
constexpr int most_modules = 4;
constexpr std::size_t longest_function = 160;

constinit std::array<char, PATH_MAX> program{};
constinit std::array<char, PATH_MAX> tool{};

void keep(std::array<char, PATH_MAX>& in, const std::string& path) {
    if (path.size() < in.size())
        path.copy(in.data(), path.size());
}

std::string find_on_path(const std::string& name) {
    const char* given = std::getenv("PATH");
    std::string_view left = given != nullptr ? given : "/usr/bin:/bin";
    while (!left.empty()) {
        const auto folder = left.substr(0, left.find(':'));
        left.remove_prefix(std::min(left.size(), folder.size() + 1));
        const auto path = std::string(folder) + "/" + name;
        if (folder.starts_with('/') && ::access(path.c_str(), X_OK) == 0)
            return path;
    }
    return {};
}

struct stack_text {
    std::array<std::uintptr_t, most_frames> offset{};  ///< in its module
    std::array<const char*, most_frames> module{};     ///< its path; null: of no interest
    std::array<std::string_view, most_frames> lines{}; ///< of addr2line
    int size = 0;
};

constinit std::array<char, 128 * 1024> answers{};

bool is_systems(std::string_view path) {
    return path.empty() || path.starts_with("/lib") || path.starts_with("/usr/lib") ||
           path.starts_with("linux-vdso");
}

// What backtrace_symbols_fd() does, too.
void find_module(stack_text& stack, int i, void* address, bool is_return) noexcept {
    Dl_info info{};
    link_map* map = nullptr;
    if (::dladdr1(address, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0 ||
        map == nullptr)
        return;
    const bool is_program = map->l_name == nullptr || *map->l_name == '\0';
    const char* path = is_program ? program.data() : map->l_name;
    if (*path == '\0' || (!is_program && is_systems(path)))
        return;
    stack.module[i] = path;
    // The call is before the address to which it returns, which may be of another line.
    stack.offset[i] = reinterpret_cast<std::uintptr_t>(address) - map->l_addr - (is_return ? 1 : 0);
}

// Without what fork() does around it: the locks that it takes may be held by who has crashed. Its
// end raises no SIGCHLD, for which a test may have a handler.
pid_t fork_silently() noexcept {
    return static_cast<pid_t>(::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
}

[[noreturn]] void become_tool(char** words, int out) noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::signal(SIGALRM, SIG_DFL);
    ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
    ::alarm(longest_answer);
    const int nobody = ::open("/dev/null", O_RDWR);
    ::dup2(nobody, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(nobody, STDERR_FILENO);
    ::execve(words[0], words, environ);
    for (;;)
        ::syscall(SYS_exit_group, 127);
}

std::string_view read_all(int from, char* into, std::size_t room) noexcept {
    std::size_t size = 0;
    while (size < room) {
        const auto more = ::read(from, into + size, room - size);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        size += static_cast<std::size_t>(more);
    }
    return {into, size};
}

// What the tool says, in memory at `into`.
std::string_view run_tool(char** words, char* into, std::size_t room) noexcept {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return {};
    const auto child = fork_silently();
    if (child == 0)
        become_tool(words, ends[1]);
    ::close(ends[1]);
    const auto said = child > 0 ? read_all(ends[0], into, room) : std::string_view();
    ::close(ends[0]);
    while (child > 0 && ::waitpid(child, nullptr, __WALL) < 0 && errno == EINTR) {
    }
    return said;
}

std::string_view take_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    return line;
}

// Asks for all frames of this module; `used` bytes of the answers are others'.
void ask_for_module(stack_text& stack, const char* module, std::size_t& used) noexcept {
    constexpr std::size_t longest_address = 20;
    std::array<std::array<char, longest_address>, most_frames> addresses{};
    std::array<char*, most_frames + 5> words{};
    char name[] = "-e";
    char how[] = "-Cfipa";
    std::size_t count = 0;
    for (char* word : {tool.data(), how, name, const_cast<char*>(module)})
        words[count++] = word;
    std::array<int, most_frames> asked{};
    int number = 0;
    for (int i = 0; i < stack.size; ++i) {
        if (stack.module[i] == nullptr || std::strcmp(stack.module[i], module) != 0)
            continue;
        auto& text = addresses[number];
        std::to_chars(text.data(), text.data() + text.size() - 1, stack.offset[i], 16);
        asked[number++] = i;
        words[count++] = text.data();
    }
    auto said = run_tool(words.data(), answers.data() + used, answers.size() - used);
    used += said.size();
    for (int i = -1; !said.empty();) {
        const auto line = take_line(said);
        if (line.starts_with("0x"))
            ++i;
        if (i < 0 || i >= number)
            continue;
        auto& lines = stack.lines[asked[i]];
        const auto* begin = lines.empty() ? line.data() : lines.data();
        lines = {begin, static_cast<std::size_t>(line.data() + line.size() - begin)};
    }
}

void ask_for_all(stack_text& stack) noexcept {
    std::array<const char*, most_modules> known{};
    int count = 0;
    std::size_t used = 0;
    for (int i = 0; i < stack.size; ++i) {
        const auto* module = stack.module[i];
        const auto* end = known.data() + count;
        if (module == nullptr || count == most_modules ||
            std::find_if(known.data(), const_cast<const char**>(end),
                         [&](const char* one) { return std::strcmp(one, module) == 0; }) != end)
            continue;
        known[count++] = module;
        ask_for_module(stack, module, used);
    }
}

// One line of addr2line: "[0xADDRESS: | (inlined by) ]FUNCTION at FILE:LINE[ (discriminator N)]".
struct code_line {
    std::string_view function;
    std::string_view place; ///< empty: not known
};

// Without arguments; a body by the name of its test.
std::string_view short_name(std::string_view function) {
    constexpr std::string_view unnamed = "(anonymous namespace)";
    std::size_t end = 0;
    while ((end = function.find('(', end)) != function.npos &&
           function.substr(end).starts_with(unnamed))
        end += unnamed.size();
    function = function.substr(0, end);
    while (function.starts_with(unnamed))
        function.remove_prefix(std::min(function.size(), unnamed.size() + 2));
    constexpr std::string_view test_class = "bridge_test_";
    constexpr std::string_view its_body = "::bridge_body";
    const auto test = function.find(test_class);
    if (test != function.npos && function.ends_with(its_body) && function.find('<') > test) {
        function.remove_suffix(its_body.size());
        function.remove_prefix(test + test_class.size());
    }
    return function.substr(0, longest_function);
}

code_line read(std::string_view line) {
    if (line.starts_with("0x"))
        line.remove_prefix(std::min(line.size(), line.find(' ') + 1));
    constexpr std::string_view inlined = " (inlined by) ";
    if (line.starts_with(inlined))
        line.remove_prefix(inlined.size());
    constexpr std::string_view between = " at ";
    const auto at = line.rfind(between);
    if (at == line.npos)
        return {};
    auto place = line.substr(at + between.size());
    place = place.substr(0, place.find(" (discriminator"));
    const bool is_known =
        !place.starts_with("??") && !place.ends_with(":?") && !place.ends_with(":0");
    return {short_name(line.substr(0, at)), is_known ? place : std::string_view()};
}

// A user's own main() runs the tests, and is in no test.
bool is_users(const code_line& line) {
    const auto place = line.place;
    const auto has = [place](std::string_view part) { return place.find(part) != place.npos; };
    return line.function != "main" && !place.starts_with("/usr/") && !has("/boost/") &&
           !has("include/bridge/") && !has("harness/src/") && !has("bridge/src/");
}

// Where in what must last longer than the answers' memory is used.
std::string_view keep_place(const code_line& line) noexcept {
    static constinit std::array<char, PATH_MAX + longest_function + 8> kept{};
    std::size_t size = 0;
    for (const auto part : {line.place, std::string_view(" in "), line.function})
        size += part.copy(kept.data() + size, kept.size() - size);
    return {kept.data(), size};
}

// Calls f(line) for each that is known. The first of the user's own.
template<class F>
std::string_view ask_for_lines(void* const* frames, int size, const F& f) noexcept {
    static constinit stack_text stack;
    stack = {};
    stack.size = std::min(size, most_frames);
    if (tool[0] == '\0')
        return {};
    for (int i = 0; i < stack.size; ++i)
        find_module(stack, i, frames[i], i > 0);
    ask_for_all(stack);
    std::string_view users;
    for (int i = 0; i < stack.size; ++i)
        for (auto left = stack.lines[i]; !left.empty();) {
            const auto line = read(take_line(left));
            if (line.place.empty())
                continue;
            f(line);
            if (users.empty() && is_users(line))
                users = keep_place(line);
        }
    return users;
}

} // namespace

void prepare_code_lines() {
    keep(tool, find_on_path("addr2line"));
    ::readlink("/proc/self/exe", program.data(), program.size() - 1);
}

std::string_view say_code_lines(void* const* frames, int size) noexcept {
    std::string_view head = "The same with functions and lines:\n";
    return ask_for_lines(frames, size, [&head](const code_line& line) {
        for (const auto part : {head, std::string_view("  "), line.place, std::string_view(" in "),
                                line.function, std::string_view("\n")})
            say(part);
        head = {};
    });
}

std::string_view find_users_line(void* const* frames, int size) noexcept {
    return ask_for_lines(frames, size, [](const code_line&) {});
}

} // namespace bridge::harness
