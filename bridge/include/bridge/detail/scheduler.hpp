// SPDX-License-Identifier: Apache-2.0
// What a strand needs of the threads below it.
#pragma once

#include <bridge/detail/fork.hpp>
#include <bridge/detail/gate.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/error.hpp>

#include <boost/asio/execution_context.hpp>

#include <atomic>

namespace bridge {
class task_locals;
}

namespace bridge::detail {

class loop_context;
class strand;
struct strand_task;

/// A context that ends what is pending in it and lives on for those who still hold its I/O objects.
template<class Context>
struct ending : Context {
    using Context::Context;
    using Context::shutdown;
};

/// Threads that run strands. Shared by the strands on it, so that it outlives its runtime for them.
class scheduler : private fork_aware {
public:
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

    /// Takes over a held strand and runs the task and what waits on it; destroys them where the
    /// threads have ended. Any thread, no GIL.
    virtual void schedule(strand& held, strand_task* first) noexcept = 0;

    /// Whether this thread is one of its own.
    virtual bool is_own_thread() const noexcept = 0;

    /// Whether a coroutine may take its first step on this thread: on threads of its own anything
    /// serial may begin anywhere, on a single thread only there.
    virtual bool may_start_here() const noexcept { return true; }

    /// Whether nothing of it goes on while this thread blocks.
    virtual bool needs_this_thread() const noexcept { return is_own_thread(); }

    /// A crossing was handed over to begin there, and has ended. Any thread, no GIL.
    virtual void crossing_began() noexcept {}

    virtual void crossing_ended() noexcept {}

    /// The context that I/O objects of the image that made this belong to: its own, the default
    /// runtime's where it has none or has ended. Throws runtime_stopped where that has ended as
    /// well, by its own shutdown(), and what starting it throws. Only code of that image calls
    /// this; others ask io_context_of().
    virtual boost::asio::execution_context& context() = 0;

    /// The image that made this, whose Asio its threads run.
    const image& made_by() const noexcept { return *made_by_; }

    /// This, where it is a same-thread loop's; each image has a context of its own there.
    virtual loop_context* as_loop() noexcept { return nullptr; }

    /// Closed once the threads are ending; whoever runs its handlers on another thread is inside.
    gate& life() noexcept { return life_; }

    /// Whether this is a forked child's copy: the threads are the parent's, so nothing runs and
    /// nothing is cleaned up.
    bool is_parents_copy() const noexcept { return copy_.load(std::memory_order_relaxed); }

    /// What whoever waits for one of its handlers is told where it does not run.
    errc refusal() const noexcept { return is_parents_copy() ? errc::forked : ended_as(); }

protected:
    scheduler() = default;
    virtual ~scheduler() = default;

private:
    virtual errc ended_as() const noexcept { return errc::runtime_stopped; }

    void became_copy() noexcept override {
        copy_.store(true, std::memory_order_relaxed);
        life_.refuse();
    }

    gate life_{true};
    const image* made_by_ = &own_image;
    std::atomic<bool> copy_{false};
    std::atomic<int> references_{1};
};

/// The context that I/O objects of this image belong to when they are made on an executor of that
/// scheduler. Any thread, no GIL. Throws as scheduler::context().
boost::asio::execution_context& io_context_of(scheduler& on);

/// Where a crossing with these locals runs that names no runtime: in their loop's own context where
/// it has one (loop_context), else on the default runtime. No GIL. Throws what starting the default
/// runtime throws.
scheduler& scheduler_of(const task_locals& locals);

/// The same for a crossing whose locals may be missing: then for the running loop. Requires the
/// GIL.
scheduler& choose_scheduler(const task_locals& locals);

} // namespace bridge::detail
