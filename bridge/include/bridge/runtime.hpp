// SPDX-License-Identifier: Apache-2.0
// The threads that native coroutines run on.
#pragma once

#include <bridge/detail/callers_threads.hpp>
#include <bridge/detail/runtime_scheduler.hpp>
#include <bridge/executor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <concepts>
#include <memory>

namespace bridge {

struct runtime_options {
    unsigned threads = 0; ///< 0: as many as the machine has processors, at least two
    /// How long its work may take at interpreter exit, if it is the default runtime.
    std::chrono::milliseconds exit_deadline = std::chrono::seconds(2);
};

/// Asks for a runtime with one thread of its own, on which every step runs.
struct current_thread_t {};

inline constexpr current_thread_t current_thread{};

/// Threads that are not Asio's: post(work) calls the work once, later, on one of them. Work that is
/// never called must be destroyed.
template<class Threads>
concept foreign_runtime = !std::derived_from<Threads, boost::asio::execution_context> &&
                          requires(Threads & threads, work handlers) {
    threads.post(std::move(handlers));
};

class runtime;

namespace detail {

/// What strands run on.
runtime_scheduler& scheduler_of(runtime& on) noexcept;

} // namespace detail

/// Threads that crossings run on. Every crossing started on it gets a strand of its own.
class runtime {
public:
    /// Background: an io_context and n threads of its own. A crossing's first step runs on the
    /// thread that starts it.
    /// Throws: std::system_error if a thread cannot be made.
    explicit runtime(runtime_options options = {});

    /// One thread of its own, on which every step runs, the first one too: coroutines on it never
    /// run at the same time, so what they share needs no lock.
    explicit runtime(current_thread_t);

    /// An executor of yours, whose threads run every step. Its context must run for crossings to go
    /// on; when it is destroyed first, they end with runtime_stopped.
    explicit runtime(boost::asio::any_io_executor on);

    /// The executor of an io_context or thread_pool of yours.
    template<std::derived_from<boost::asio::execution_context> Context>
    explicit runtime(Context& context)
        : runtime(boost::asio::any_io_executor(context.get_executor())) {}

    /// Threads of yours that are not Asio's. They must take work until this is shut down.
    template<foreign_runtime Threads>
    explicit runtime(Threads& threads)
        : scheduler_(detail::intrusive_ptr<detail::runtime_scheduler>::adopt(
              new detail::foreign_scheduler<Threads>(threads))) {}

    /// shutdown() with its default deadline; in the background if this thread is its own.
    ~runtime();

    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;

    /// An executor of its own, for co_spawn: serial, with the given locals.
    executor make_executor(task_locals locals);

    /// For I/O that needs no locals.
    /// Throws: runtime_stopped; std::logic_error if the threads are yours.
    boost::asio::io_context& io_context();

    /// Lets running work finish until the deadline, then stops and settles what still waits with
    /// errc::runtime_stopped: Python waits no more when its loop runs next. False if a handler did
    /// not come back in time (its thread is left behind, and what it uses is leaked). Does
    /// nothing when called again, or in a forked child.
    /// GIL: released while it waits.
    /// Throws: std::logic_error on one of its own threads, which would wait for itself.
    bool shutdown(std::chrono::milliseconds deadline = std::chrono::seconds(5));

private:
    friend detail::runtime_scheduler& detail::scheduler_of(runtime& on) noexcept;

    detail::intrusive_ptr<detail::runtime_scheduler> scheduler_;
};

/// The runtime used if none is named, one for all modules of the process that are built alike:
/// made at first use, shut down at interpreter exit, made anew when it is used after
/// shutdown_default_runtime() or in a forked child.
runtime& default_runtime();

/// Options of the default runtime; before its first use.
/// Throws: std::logic_error afterwards.
void init_default_runtime(runtime_options options);

/// Makes a runtime of another kind the default one; before its first use.
/// Throws: std::logic_error afterwards.
void init_default_runtime(std::unique_ptr<runtime> runtime);

/// Shuts the default runtime down, as runtime::shutdown; true if there is none.
bool shutdown_default_runtime(std::chrono::milliseconds deadline = std::chrono::seconds(5));

} // namespace bridge
