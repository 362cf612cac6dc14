// SPDX-License-Identifier: Apache-2.0
// The inside of a runtime: threads that run strands, and their end.
#pragma once

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/scheduler.hpp>
#include <bridge/detail/strand.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace bridge {

/// Handlers of one executor on their way to a thread: call it once, on any thread of the runtime,
/// without the GIL. Destroyed uncalled, it ends the coroutines behind it. Only moves.
class work {
public:
    work(detail::strand& held, detail::strand_task* first) noexcept
        : strand_(&held), first_(first) {}

    work(work&&) noexcept = default;
    work& operator=(work&& other) noexcept;
    work(const work&) = delete;
    ~work();

    void operator()();

private:
    detail::intrusive_ptr<detail::strand> strand_;
    detail::strand_task* first_;
};

namespace detail {

/// A context that a scheduler owns. Those whose I/O objects are in it may keep it for longer.
template<class Context>
class own_context {
public:
    template<class... Arguments>
    explicit own_context(Arguments&&... arguments)
        : shared_(std::make_shared<ending<Context>>(std::forward<Arguments>(arguments)...)),
          context_(shared_.get()) {}

    /// Until end().
    Context& operator*() const noexcept { return *context_; }

    Context* operator->() const noexcept { return context_; }

    /// Null once it has ended. Any thread.
    std::shared_ptr<Context> share() const {
        const std::lock_guard lock(mutex_);
        return shared_;
    }

    /// Destroys what is pending.
    void end() {
        std::unique_lock lock(mutex_);
        const auto last = std::exchange(shared_, nullptr);
        lock.unlock();
        last->shutdown();
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<ending<Context>> shared_;
    Context* context_;
};

/// What a runtime owns or borrows. Its functions are virtual: several modules of a process may use
/// one.
class runtime_scheduler : public scheduler {
public:
    using clock = std::chrono::steady_clock;

    /// As runtime::shutdown(); throws std::logic_error on a thread that would wait for itself.
    bool shutdown(std::chrono::milliseconds time);

    /// Whether this thread is in the middle of one of its handlers.
    bool is_inside() const noexcept;

    /// Throws std::logic_error where it is.
    void require_outside() const;

    virtual boost::asio::io_context* io_context() noexcept { return nullptr; }

    /// The context of its I/O objects, for those that other threads than its own make there; null
    /// once it has ended. Any thread.
    virtual std::shared_ptr<boost::asio::execution_context> shared_context() = 0;

protected:
    /// Ends it: nothing runs any more when this returns true. Once; the GIL is free.
    virtual bool end(clock::time_point deadline) = 0;

private:
    std::mutex mutex_;
    std::optional<bool> ended_;
};

/// Threads of somebody else's: a coroutine takes each of its steps there, the first one too.
class callers_threads : public runtime_scheduler {
public:
    void schedule(strand& held, strand_task* first) noexcept override;

    bool is_own_thread() const noexcept override { return false; } // unknown: always queue

    bool may_start_here() const noexcept override { return false; }

    void crossing_began() noexcept override;
    void crossing_ended() noexcept override;

protected:
    /// Passes it to one of the threads. Throws where they take nothing any more.
    virtual void hand_over(work handlers) = 0;

    /// When nothing runs any more: destroys what still waits and is owned here.
    virtual void destroy_waiting() noexcept {}

    bool end(clock::time_point deadline) override;

private:
    std::mutex count_mutex_;
    std::condition_variable changed_;
    std::size_t crossings_ = 0;
};

/// An Asio executor of the caller's.
intrusive_ptr<runtime_scheduler> make_executor_scheduler(boost::asio::any_io_executor on);

/// Threads that are not Asio's; Asio's timers and sockets work through a context of our own.
template<class Threads>
class foreign_scheduler final : public callers_threads {
public:
    explicit foreign_scheduler(Threads& threads) : threads_(threads) {}

    boost::asio::execution_context& context() override { return *context_; }

    std::shared_ptr<boost::asio::execution_context> shared_context() override {
        return context_.share();
    }

private:
    void hand_over(work handlers) override { threads_.post(std::move(handlers)); }

    void destroy_waiting() noexcept override { context_.end(); }

    Threads& threads_;
    own_context<boost::asio::execution_context> context_;
};

} // namespace detail
} // namespace bridge
