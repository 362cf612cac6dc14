// SPDX-License-Identifier: Apache-2.0
// Runtimes whose threads are the caller's.
#pragma once

#include <bridge/detail/runtime_scheduler.hpp>
#include <bridge/work.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace bridge::detail {

/// Threads of somebody else's: a coroutine takes each of its steps there, the first one too.
class callers_threads : public runtime_scheduler {
public:
    void schedule(strand& held, strand_task* first) noexcept override;

    bool is_own_thread() const noexcept override { return false; } // unknown: always queue

    bool may_start_here() const noexcept override { return false; }

    void crossing_began() noexcept override;
    void crossing_ended() noexcept override;

protected:
    /// Passes it to one of the threads. Throws if they take nothing any more.
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

} // namespace bridge::detail
