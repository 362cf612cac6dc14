// SPDX-License-Identifier: Apache-2.0
// Where the threads of this process are. Async-signal-safe once it is prepared; nothing needs the
// GIL.
#pragma once

#include <bridge/detail/frame.hpp>

#include <cstdint>
#include <string_view>

namespace bridge::harness {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitizer_has_stacks = true; // and no patience with signal handlers
#else
inline constexpr bool sanitizer_has_stacks = false;
#endif

/// Does once what is not async-signal-safe. SIGURG, which nobody misses, asks a thread from now on.
void prepare_stacks();

int this_thread() noexcept;

/// A thread with this name is the harness's own: what it does is of no interest.
inline constexpr const char* watching_thread = "bridge-watchdog";

/// On stderr.
void say(std::string_view text) noexcept;
void say_number(std::uintptr_t number, int base = 10) noexcept;

/// "1234 (name)".
void say_thread(int thread) noexcept;

/// Innermost first: the first is where the thread is, the others are return addresses.
struct stack_frames {
    static constexpr int most = 64;
    void* address[most];
    int size;
};

struct thread_stack {
    int thread;
    std::uintptr_t pthread; ///< zero: it has not answered
    bool blocks_signals;    ///< so that it cannot be asked
    stack_frames frames;    ///< none: it has not answered
};

/// Of this thread. In a handler with its context, of what the signal has interrupted.
void take_own_stack(const void* context, stack_frames& into) noexcept;

/// As it is, addresses only.
void say_raw(const stack_frames& stack) noexcept;

/// Of that thread.
void take_stack_of(int thread, thread_stack& into) noexcept;

/// Of every other thread but the harness's own; how many.
int take_other_stacks(thread_stack* into, int most) noexcept;

/// Where the coroutine last waited whose handler runs on that thread, or nothing if none does or it
/// does not answer.
bridge::detail::code_place place_of(int thread) noexcept;

/// The thread on which a handler of a coroutine with that slot runs and does not return: it was
/// seen there several times. Zero if there is none, or it does not answer.
int thread_of_handler(const void* slot) noexcept;

} // namespace bridge::harness
