// SPDX-License-Identifier: Apache-2.0
// The io_context of an event loop of ours, which runs inside that loop's selector.
#pragma once

#include "runtime/default_runtime.hpp"

#include <bridge/detail/port.hpp>
#include <bridge/detail/scheduler.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace bridge::detail {

/// A scheduler with one thread: whoever runs the Python loop. Its methods are called with the GIL
/// held, on the loop's thread, where nothing else is said.
class loop_context final : public scheduler {
public:
    /// Watches a duplicate of the selector's own descriptor, which is readable while one of the
    /// loop's is ready.
    explicit loop_context(int selector_fd);

    /// The loop whose selector this is; makes its port.
    void attach(py::handle loop);

    /// The loop, borrowed; null once its port is closed.
    py::handle loop() const noexcept { return port_->loop(); }

    /// The loop begins and ends to run on this thread.
    void begin();
    void end();

    /// The inside of the selector's select(): runs native handlers, the GIL released, until
    /// something is ready or the time has passed, and delivers what ended. A negative timeout waits
    /// without end. 1: the loop's own descriptors have to be asked; 0: none of them is ready; 2:
    /// this is a forked child's copy, and nothing was waited for; -1: a Python error is set.
    int turn(double timeout) noexcept;

    /// The loop has ended: closes the port, lets cancelled coroutines unwind as far as they do
    /// without waiting, destroys the rest. May be called again.
    void close(errc why = errc::loop_closed) noexcept;

    bool is_in_debug_mode() const noexcept;

    /// Any thread, no GIL. False where the loop is awake and will look.
    bool wake() noexcept;

    /// As scheduler says: any thread, no GIL.
    void schedule(strand& held, strand_task* first) noexcept override;
    bool is_own_thread() const noexcept override;
    bool may_start_here() const noexcept override;
    bool needs_this_thread() const noexcept override;

    boost::asio::execution_context& context() override {
        return life().is_open() ? context_ : elsewhere_.get();
    }

private:
    class stay;

    ~loop_context() override;

    errc ended_as() const noexcept override { return errc::loop_closed; }

    void run_ready(bool also_context) noexcept;
    bool run_strands() noexcept;
    bool poll_context() noexcept;
    void wait(double timeout) noexcept;
    void watch_selector();
    template<class F>
    void guarded(F&& run_some) noexcept;
    bool deliver() noexcept;
    bool deliver_and_go_on() noexcept;
    bool has_nothing_to_do() const noexcept;
    bool goes_on() const noexcept;
    bool is_loop_flag_set(const py::object& name) const noexcept;
    bool runs_elsewhere() const noexcept;
    void unwind() noexcept;
    void destroy_pending() noexcept;

    ending<boost::asio::io_context> context_{1};
    default_context elsewhere_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::posix::stream_descriptor selector_;
    intrusive_ptr<port> port_;
    std::atomic<strand*> ready_{nullptr};        // held strands, newest first
    std::atomic<bool> sleeping_{false};          // in the context, without anything to do
    std::atomic<std::thread::id> inside_{};      // the thread that runs handlers now
    std::atomic<std::thread::id> loop_thread_{}; // the thread that runs the loop now
    std::vector<std::exception_ptr> escaped_;    // from handlers of the user's own
    bool watching_ = false;                      // the selector is waited for and was not ready
    bool closed_ = false;
    loop_context* before_ = nullptr; // that ran on the loop's thread when it began
};

} // namespace bridge::detail
