// SPDX-License-Identifier: Apache-2.0
// What a strand needs of the threads below it.
#pragma once

#include <bridge/detail/fork.hpp>
#include <bridge/detail/gate.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/error.hpp>

#include <boost/asio/execution_context.hpp>

#include <atomic>

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
class scheduler : public reference_counted<scheduler>, private fork_aware {
public:
    /// It is never destroyed from here on, and counts no references any more.
    void keep_for_ever() noexcept { kept_for_ever_.store(true, std::memory_order_relaxed); }

    void retain() noexcept {
        if (!kept_for_ever_.load(std::memory_order_relaxed))
            reference_counted::retain();
    }

    void release() noexcept {
        if (!kept_for_ever_.load(std::memory_order_relaxed))
            reference_counted::release();
    }

    /// Takes over a held strand and runs the task and what waits on it; destroys them if the
    /// threads have ended. Any thread, no GIL.
    virtual void schedule(strand& held, strand_task* first) noexcept = 0;

    /// Whether this thread is one of its own.
    virtual bool is_own_thread() const noexcept = 0;

    /// Whether a coroutine may take its first step on this thread: a pool lets it start on
    /// any thread, a single-threaded scheduler only on its own.
    virtual bool may_start_here() const noexcept { return true; }

    /// Whether nothing of it goes on while this thread blocks.
    virtual bool needs_this_thread() const noexcept { return is_own_thread(); }

    /// A crossing was handed over to begin there, and has ended. Any thread, no GIL.
    virtual void crossing_began() noexcept {}

    virtual void crossing_ended() noexcept {}

    /// The context that I/O objects of the image that made this belong to: its own, the default
    /// runtime's if it has none or has ended. Throws runtime_stopped if that has ended as well, by
    /// its own shutdown(), and what starting it throws. Only code of that image calls this; others
    /// ask io_context_of().
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

    /// The error for whoever waits for one of its handlers, if it does not run.
    errc refusal() const noexcept { return is_parents_copy() ? errc::forked : ended_as(); }

protected:
    scheduler() = default;
    virtual ~scheduler() = default;

private:
    friend class reference_counted<scheduler>;

    virtual errc ended_as() const noexcept { return errc::runtime_stopped; }

    void became_copy() noexcept override {
        copy_.store(true, std::memory_order_relaxed);
        life_.refuse();
    }

    gate life_{true};
    const image* made_by_ = &own_image;
    std::atomic<bool> copy_{false};
    std::atomic<bool> kept_for_ever_{false};
};

} // namespace bridge::detail
