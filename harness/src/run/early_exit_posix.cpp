// SPDX-License-Identifier: Apache-2.0
// _exit and _Exit of the C library, shadowed: calls from any library, Python's os._exit too, come
// to the program's own symbol first.
#include "run/early_exit.hpp"

#include "record/output.hpp"
#include "run/code_lines.hpp"
#include "run/stacks.hpp"
#include "run/unfinished_test.hpp"

#include <bridge/protocol/exit_code.hpp>

#include <dlfcn.h>
#include <execinfo.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bridge::harness {
namespace {

using exit_function = void (*)(int);

constinit std::atomic<pid_t> watched{0};
constinit std::atomic<int> ordered{protocol::failed_exit};
constinit std::atomic<bool> is_over{false};

// The next one in the order of loading: the C library's, or a sanitizer's before it.
exit_function next_exit() noexcept {
    static const auto next = reinterpret_cast<exit_function>(::dlsym(RTLD_NEXT, "_exit"));
    return next;
}

// Where the user's own code has called it, which is still on this thread's stack.
std::string_view place_of_call() noexcept {
    if (sanitizer_has_stacks)
        return {};
    void* frames[stack_frames::most];
    return find_users_line(frames, ::backtrace(frames, stack_frames::most));
}

// Async-signal-safe: _exit may be called where nothing else may.
void complain(const char* function) noexcept {
    const char* id = unfinished_test::id();
    say("FAILED ");
    say(id != nullptr ? id : "the run");
    say(": ");
    say(function);
    say(id != nullptr ? " was called before the test had finished"
                      : " was called before the tests had ended");
    const auto place = place_of_call();
    if (!place.empty())
        say(", at ");
    say(place);
    say("\n");
    unfinished_test::tell_end({function, place.empty() ? " was called" : " was called at ", place});
}

bool is_watched() noexcept {
    return watched == ::getpid();
}

// In a function registered with atexit the code is not known: only main may exit.
void refuse_exit() {
    if (!is_watched() || is_over)
        return;
    std::fflush(nullptr);
    complain("exit()");
    next_exit()(protocol::failed_exit);
}

int allowed_code(int code) noexcept {
    if (!is_watched() || (code != 0 && code != protocol::skipped_exit))
        return code;
    if (!is_over)
        complain("_exit()");
    return ordered;
}

} // namespace

void watch_exits() {
    next_exit();
    watched = ::getpid();
    std::atexit(&refuse_exit);
    std::at_quick_exit(&refuse_exit);
}

void order_exit(int code) noexcept {
    ordered = code;
    is_over = true;
}

} // namespace bridge::harness

extern "C" {

[[gnu::visibility("default")]] void _exit(int code) {
    bridge::harness::next_exit()(bridge::harness::allowed_code(code));
    std::abort();
}

[[gnu::visibility("default")]] void _Exit(int code) noexcept {
    ::_exit(code);
}
}
