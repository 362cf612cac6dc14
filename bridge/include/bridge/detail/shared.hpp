// SPDX-License-Identifier: Apache-2.0
// What all modules of a process that are built with one version of this library have in common.
#pragma once

#include <bridge/detail/gate.hpp>
#include <bridge/detail/python_mutex.hpp>
#include <bridge/error.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace bridge::detail {

class strand;
class gil_hold;
struct forgotten_stay;
struct imports;
class port;
struct reference_watcher;
struct released_reference;
struct wait_watcher;

/// What all modules know of a thread.
struct thread_slots {
    strand* current = nullptr;    ///< whose handler it runs
    port* running_port = nullptr; ///< of the same-thread loop that runs on it
    errc discards_for{};          ///< the error to report while it destroys handlers; else errc{}
    PyThreadState* kept_state = nullptr; ///< Python's, between two stays of a native thread
    std::uint32_t kept_in_life = 0;      ///< of the interpreter
};

/// One program or module with this library in it, as the others of its process see it. What is
/// Asio's never leaves it: what Asio knows of a thread or of the process stands in variables that
/// another image may have a copy of (docs/decisions/0006-images.md).
struct image {
    void (*end_default_runtime)() noexcept;  ///< at interpreter exit; GIL
    bool (*default_runtime_runs)() noexcept; ///< any thread
    image* next = nullptr;                   ///< in shared().images
};

/// The one that this code is in.
extern image own_image;

/// Each image has one, and uses that of the image which attached to Python first
/// (src/life/join.cpp). Never destroyed: threads that are left behind may use it.
struct shared_state {
    /// Threads that do not hold the GIL touch CPython only inside this gate: finalization waits for
    /// them. A forked child gets a new one.
    std::atomic<gate*> interpreter_gate;

    /// The calling thread's.
    thread_slots* (*slots)() noexcept;

    std::atomic<image*> images = nullptr; ///< those that share this, newest first

    std::atomic<unsigned> runtime_threads = 0; ///< of default runtimes that are yet to be made
    std::atomic<std::int64_t> exit_deadline_milliseconds = 2'000; ///< of all default runtimes

    std::atomic<imports*> all = nullptr;               ///< of the interpreter that runs; GIL
    [[no_unique_address]] python_mutex attach_mutex{}; ///< while they are made or completed

    std::atomic<std::uint32_t> interpreter_life = 0; ///< how many interpreters it has seen
    std::atomic<bool> interpreter_ended = false;
    std::atomic<thread_slots*> exit_thread = nullptr; ///< by its slots; may use the GIL to the end

    std::atomic<released_reference*> released = nullptr;

    [[no_unique_address]] python_mutex stays_mutex{}; ///< of both lists of stays; with the GIL
    gil_hold* gil_holds = nullptr;                    ///< of threads inside Python

    [[no_unique_address]] python_mutex port_table_mutex{}; ///< of the imports' table of ports
    std::mutex ports_mutex{}; ///< of the list below, which any thread may walk
    port* ports = nullptr;

    std::atomic<std::int64_t> slow_cancel_milliseconds = 10'000; ///< zero: nothing is said

    std::atomic<std::uint64_t> gil_takes = 0;         ///< how often a thread took the GIL
    std::atomic<std::uint64_t> unasked_gil_takes = 0; ///< of these, without the user's asking

    forgotten_stay* forgotten_stays = nullptr; ///< of threads inside Python that nobody waits for

    std::atomic<const wait_watcher*> watcher = nullptr;                 ///< of a test harness
    std::atomic<const reference_watcher*> references_watcher = nullptr; ///< the same
};

extern shared_state own_state;

/// Points to this module's own state until it attaches to Python; after that it does not change.
inline std::atomic<shared_state*> joined_state{&own_state};

inline shared_state& shared() noexcept {
    return *joined_state.load(std::memory_order_acquire);
}

/// Whether the state that shared() gives will not change any more.
bool has_joined() noexcept;

/// The state that shared() gives is the final one. False if that was known.
bool end_joining() noexcept;

inline thread_local thread_slots* known_slots = nullptr;

thread_slots& find_slots() noexcept;

/// Where the modules of this process agree that what they know of the calling thread stands.
inline thread_slots& this_thread() noexcept {
    return known_slots != nullptr ? *known_slots : find_slots();
}

inline gate& interpreter_gate() noexcept {
    return *shared().interpreter_gate.load(std::memory_order_acquire);
}

} // namespace bridge::detail
