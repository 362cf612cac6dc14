// SPDX-License-Identifier: Apache-2.0
// The inside of a runtime: its context, and its end.
#pragma once

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/scheduler.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace bridge::detail {

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

    /// Throws std::logic_error if it is.
    void require_outside() const;

    virtual boost::asio::io_context* io_context() noexcept { return nullptr; }

    /// The context of its I/O objects, for those that other threads than its own make there; null
    /// once it has ended. Any thread.
    virtual std::shared_ptr<boost::asio::execution_context> shared_context() = 0;

protected:
    /// Ends it: nothing runs any more when this returns true. Once; the GIL is free.
    virtual bool end(clock::time_point deadline) = 0;

private:
    void tell_loops() noexcept;

    std::mutex mutex_;
    std::optional<bool> ended_;
};

} // namespace bridge::detail
