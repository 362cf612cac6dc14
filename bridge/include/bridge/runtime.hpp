// SPDX-License-Identifier: Apache-2.0
// The threads that native coroutines run on.
#pragma once

#include <bridge/detail/scheduler.hpp>
#include <bridge/executor.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>

namespace bridge {

struct runtime_options {
    unsigned threads = 0; ///< 0: as many as the machine has processors, at least two
};

/// An io_context and the threads that run it. Every crossing started on it gets a strand of its
/// own.
class runtime {
public:
    explicit runtime(runtime_options options = {});

    /// shutdown() with its default deadline.
    ~runtime();

    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;

    /// An executor of its own, for co_spawn: serial, with the given locals.
    executor make_executor(task_locals locals);

    /// For I/O that needs no locals. Throws runtime_stopped.
    boost::asio::io_context& io_context();

    /// Lets running work finish until the deadline, then stops the threads and settles what still
    /// waits with errc::runtime_stopped. False where a thread did not come back in time (it is left
    /// behind, and what it uses is leaked). Releases the GIL while it waits. May be called again.
    bool shutdown(std::chrono::milliseconds deadline = std::chrono::seconds(5));

    /// What strands run on. No GIL.
    detail::scheduler& scheduler() noexcept;

private:
    class threads;
    detail::intrusive_ptr<threads> threads_;
};

/// The runtime used where none is named: made at first use, shut down at interpreter exit, made
/// anew when it is used after shutdown_default_runtime().
runtime& default_runtime();

/// Options of the default runtime; before its first use. Throws std::logic_error afterwards.
void init_default_runtime(runtime_options options);

/// Shuts the default runtime down, as runtime::shutdown; true where there is none.
bool shutdown_default_runtime(std::chrono::milliseconds deadline = std::chrono::seconds(5));

} // namespace bridge
