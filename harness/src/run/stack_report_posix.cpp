// SPDX-License-Identifier: Apache-2.0
#include "run/stack_report.hpp"

#include "run/code_lines.hpp"
#include "run/explaining.hpp"
#include "run/python_stacks.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bridge::harness {
namespace {

constexpr int most_threads = 64;
constexpr std::size_t longest_place = 1024;

// A place of C++, if it is known.
struct known_place {
    std::array<char, longest_place> text;
    std::size_t size;

    void set(std::string_view place) noexcept { size = place.copy(text.data(), text.size()); }

    std::string_view get() const noexcept { return {text.data(), size}; }
};

constinit std::atomic<bool> is_reporting{false};
constinit std::array<thread_stack, most_threads> reported{};
constinit std::array<known_place, most_threads> reported_places{};
constinit std::atomic<int> stack_count{0};

void say_place(const char* mark, const code_line& line) noexcept {
    for (const auto part : {std::string_view(mark), line.place, std::string_view(" in "),
                            line.function, std::string_view("\n")})
        say(part);
}

// Of what debug information does not know: "  libc.so.6(epoll_wait+0x56)".
void say_symbol(void* address) noexcept {
    Dl_info info{};
    say("    ");
    if (::dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
        say("0x");
        say_number(reinterpret_cast<std::uintptr_t>(address), 16);
        return say("\n");
    }
    const char* slash = std::strrchr(info.dli_fname, '/');
    say(slash != nullptr ? slash + 1 : info.dli_fname);
    const bool has_symbol = info.dli_sname != nullptr;
    const void* base = has_symbol ? info.dli_saddr : info.dli_fbase;
    say("(");
    say(has_symbol ? info.dli_sname : "");
    say("+0x");
    say_number(reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(base),
               16);
    say(")\n");
}

void say_stack(const code_lines& lines, const thread_stack& stack) noexcept {
    say("C++ stack of thread ");
    say_thread(stack.thread);
    say(", innermost first:\n");
    if (stack.blocks_signals)
        return say("    it blocks all signals, and cannot be asked\n");
    if (stack.frames.size == 0)
        return say("    it does not answer\n");
    for (int i = 0; i < stack.frames.size; ++i) {
        const int known = lines.for_each_line(stack.frames, i, [](const code_line& line) {
            say_place(line.is_users ? "  > " : "    ", line);
        });
        if (known == 0)
            say_symbol(stack.frames.address[i]);
    }
}

int take_all(const stack_frames* own) noexcept {
    int count = 0;
    if (own != nullptr)
        reported[count++] = {this_thread(), static_cast<std::uintptr_t>(::pthread_self()), false,
                             *own};
    return count + take_other_stacks(reported.data() + count, most_threads - count);
}

const thread_stack* find_stack(int thread) noexcept {
    const thread_stack* begin = reported.data();
    const thread_stack* end = begin + stack_count;
    const auto* found = std::find_if(
        begin, end, [thread](const thread_stack& one) { return one.thread == thread; });
    return found != end ? found : nullptr;
}

std::string_view place_of_stack(const thread_stack& stack) noexcept {
    const auto known = reported_places[static_cast<std::size_t>(&stack - reported.data())].get();
    if (!known.empty() || stack.pthread == 0)
        return known;
    return python_place_of(stack.pthread);
}

} // namespace

void say_stacks(const stack_frames* own) noexcept {
    if (::fcntl(STDERR_FILENO, F_GETFD) < 0)
        return; // nobody would read it
    if (is_reporting.exchange(true))
        return say("(the stacks of all threads are being written by another one)\n");
    const explaining now;
    stack_count = 0;
    const int count = take_all(own);
    code_lines lines;
    for (int i = 0; i < count; ++i)
        lines.add(reported[i].frames);
    lines.ask();
    for (int i = 0; i < count; ++i) {
        reported_places[i].set(lines.users_line(reported[i].frames));
        say_stack(lines, reported[i]);
    }
    say("\n");
    stack_count = count;
    is_reporting = false;
}

std::string_view place_of_thread(int thread) noexcept {
    const auto* stack = find_stack(thread);
    return stack != nullptr ? place_of_stack(*stack) : std::string_view();
}

std::string find_users_line(void* const* addresses, int count) {
    const explaining now;
    stack_frames stack;
    stack.size = std::min(count, stack_frames::most);
    std::copy_n(addresses, stack.size, stack.address);
    code_lines lines;
    lines.add(stack);
    lines.ask();
    return std::string(lines.users_line(stack));
}

std::string_view places_of_others(int thread) noexcept {
    static constinit std::array<char, 3 * longest_place + 8> text{};
    constexpr int most = 3;
    std::size_t size = 0;
    int number = 0;
    for (int i = 0; i < stack_count && number < most; ++i) {
        const auto place = reported_places[i].get();
        if (reported[i].thread == thread || place.empty() ||
            std::string_view(text.data(), size).find(place) != std::string_view::npos)
            continue;
        for (const auto part : {std::string_view(number++ > 0 ? "; " : ""), place})
            size += part.copy(text.data() + size, text.size() - size);
    }
    return {text.data(), size};
}

} // namespace bridge::harness
