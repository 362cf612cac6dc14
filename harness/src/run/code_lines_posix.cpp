// SPDX-License-Identifier: Apache-2.0
// By addr2line, while the program is still there with its libraries where they are. A library that
// reads debug information in the process would allocate, where the allocator may have crashed. Only
// what is async-signal-safe, or has been done once before.
#include "run/code_lines.hpp"

#include "run/tool_answer.hpp"

#include <bridge/detail/virtual_time.hpp>

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>

namespace bridge::harness {
namespace {

constexpr int most_frames = 512;
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

// A frame of any of the stacks.
struct asked_frame {
    void* address;
    bool is_return;
    const char* module;    ///< its path
    std::uintptr_t offset; ///< in that
    std::string_view text; ///< what addr2line says
};

constinit std::atomic<bool> are_lines_in_use{false};
constinit std::array<asked_frame, most_frames> asked_frames{};
constinit int frame_count = 0;
constinit std::array<char, 512 * 1024> answers{};

asked_frame* find_frame(void* address, bool is_return) noexcept {
    auto* end = asked_frames.data() + frame_count;
    auto* found = std::find_if(asked_frames.data(), end, [&](const asked_frame& one) {
        return one.address == address && one.is_return == is_return;
    });
    return found != end ? found : nullptr;
}

bool is_systems(std::string_view path) {
    return path.empty() || path.starts_with("/lib") || path.starts_with("/usr/lib") ||
           path.starts_with("linux-vdso");
}

// False if it is of no interest. What backtrace_symbols_fd() does, too.
bool find_module(asked_frame& frame) noexcept {
    Dl_info info{};
    link_map* map = nullptr;
    if (::dladdr1(frame.address, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0 ||
        map == nullptr)
        return false;
    const bool is_program = map->l_name == nullptr || *map->l_name == '\0';
    frame.module = is_program ? program.data() : map->l_name;
    // The call is before the address to which it returns, which may be of another line.
    frame.offset =
        reinterpret_cast<std::uintptr_t>(frame.address) - map->l_addr - (frame.is_return ? 1 : 0);
    return *frame.module != '\0' && (is_program || !is_systems(frame.module));
}

std::string_view take_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    return line;
}

// Who was too slow once is not asked again: a hundred failures would wait for it in turn.
constinit std::atomic<bool> is_too_slow{false};

using clock = bridge::detail::real_clock;

void say_too_slow() noexcept {
    say("(not all functions and lines are known: addr2line did not end within ");
    say_number(longest_work.count());
    say(" s of the processor's time, or ");
    say_number(longest_wait.count());
    say(" s; it is not asked again)\n");
}

// Asks for all frames of this module; `used` bytes of the answers are others'.
void ask_for_module(const char* module, std::size_t& used, clock::time_point began) noexcept {
    constexpr std::size_t longest_address = 20;
    static constinit std::array<std::array<char, longest_address>, most_frames> addresses{};
    static constinit std::array<char*, most_frames + 5> words{};
    static constinit std::array<asked_frame*, most_frames> asked{};
    static constinit char name[] = "-e";
    static constinit char how[] = "-Cfipa";
    std::size_t count = 0;
    for (char* word : {tool.data(), how, name, const_cast<char*>(module)})
        words[count++] = word;
    int number = 0;
    for (int i = 0; i < frame_count; ++i) {
        if (std::strcmp(asked_frames[i].module, module) != 0)
            continue;
        auto& text = addresses[number];
        *std::to_chars(text.data(), text.data() + text.size() - 1, asked_frames[i].offset, 16).ptr =
            0;
        asked[number++] = &asked_frames[i];
        words[count++] = text.data();
    }
    words[count] = nullptr;
    auto [said, is_in_time] =
        ask_tool(words.data(), answers.data() + used, answers.size() - used,
                 std::chrono::duration_cast<std::chrono::seconds>(clock::now() - began));
    used += said.size();
    if (!is_in_time && !is_too_slow.exchange(true))
        say_too_slow();
    for (int i = -1; !said.empty();) {
        const auto line = take_line(said);
        if (line.starts_with("0x"))
            ++i;
        if (i < 0 || i >= number)
            continue;
        auto& text = asked[i]->text;
        const auto* begin = text.empty() ? line.data() : text.data();
        text = {begin, static_cast<std::size_t>(line.data() + line.size() - begin)};
    }
}

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

// A user's own main() runs the tests, and is in no test.
bool is_users_code(std::string_view function, std::string_view place) {
    const auto has = [place](std::string_view part) { return place.find(part) != place.npos; };
    return function != "main" && !place.starts_with("/usr/") && !has("/boost/") &&
           !has("include/pybind11/") && !has("include/bridge/") && !has("harness/src/") &&
           !has("bridge/src/");
}

// One line of addr2line: "[0xADDRESS: | (inlined by) ]FUNCTION at FILE:LINE[ (discriminator N)]".
// The place is empty if it is not known.
code_line read_code_line(std::string_view line) {
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
    const auto function = short_name(line.substr(0, at));
    return {function, is_known ? place : std::string_view(), is_users_code(function, place)};
}

// In what must last longer than the answers' memory is used: "PLACE in FUNCTION, from PLACE in
// FUNCTION".
std::string_view keep_place(const code_line& first, const code_line& last) noexcept {
    static constinit std::array<char, 2 * (PATH_MAX + longest_function + 16)> kept{};
    constexpr std::string_view in = " in ";
    std::size_t size = 0;
    const auto add = [&size](std::initializer_list<std::string_view> parts) {
        for (const auto part : parts)
            size += part.copy(kept.data() + size, kept.size() - size);
    };
    add({first.place, in, first.function});
    if (last.function != first.function)
        add({", from ", last.place, in, last.function});
    return {kept.data(), size};
}

} // namespace

void prepare_code_lines() {
    keep(tool, find_on_path("addr2line"));
    ::readlink("/proc/self/exe", program.data(), program.size() - 1);
}

code_lines::code_lines() noexcept : is_ours_(!are_lines_in_use.exchange(true)) {
    if (is_ours_)
        frame_count = 0;
}

code_lines::~code_lines() {
    if (is_ours_) {
        frame_count = 0;
        are_lines_in_use = false;
    }
}

void code_lines::add(const stack_frames& stack) noexcept {
    for (int i = 0; is_ours_ && i < stack.size && frame_count < most_frames; ++i) {
        asked_frame frame{stack.address[i], i > 0, nullptr, 0, {}};
        if (find_frame(frame.address, frame.is_return) == nullptr && find_module(frame))
            asked_frames[frame_count++] = frame;
    }
}

void code_lines::ask() noexcept {
    if (!is_ours_ || tool[0] == '\0' || is_too_slow)
        return;
    std::array<const char*, most_modules> known{};
    std::size_t count = 0;
    std::size_t used = 0;
    const auto began = clock::now();
    for (int i = 0; i < frame_count && count < most_modules && !is_too_slow; ++i) {
        const auto* module = asked_frames[i].module;
        if (std::any_of(known.begin(), known.begin() + count,
                        [&](const char* one) { return std::strcmp(one, module) == 0; }))
            continue;
        known[count++] = module;
        ask_for_module(module, used, began);
    }
}

std::string_view code_lines::text_of(const stack_frames& stack, int frame) noexcept {
    const auto* found = find_frame(stack.address[frame], frame > 0);
    return found != nullptr ? found->text : std::string_view();
}

bool code_lines::take(std::string_view& text, code_line& line) noexcept {
    while (!text.empty()) {
        line = read_code_line(take_line(text));
        if (!line.place.empty())
            return true;
    }
    return false;
}

bool code_lines::is_pythons(const stack_frames& stack, int frame) noexcept {
    Dl_info info{};
    return ::dladdr(stack.address[frame], &info) != 0 && info.dli_sname != nullptr &&
           std::strcmp(info.dli_sname, "_PyEval_EvalFrameDefault") == 0;
}

std::string_view code_lines::users_line(const stack_frames& stack) const noexcept {
    code_line first{};
    code_line last{};
    for (int i = 0; i < stack.size && !is_pythons(stack, i); ++i)
        for_each_line(stack, i, [&](const code_line& line) {
            if (!line.is_users)
                return;
            if (first.place.empty())
                first = line;
            last = line;
        });
    return first.place.empty() ? std::string_view() : keep_place(first, last);
}

} // namespace bridge::harness
