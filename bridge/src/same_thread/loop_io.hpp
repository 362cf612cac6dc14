// SPDX-License-Identifier: Apache-2.0
// The part of one image in a same-thread loop: an io_context of its own.
#pragma once

#include "same_thread/python_timers.hpp"

#include <bridge/detail/python.hpp>
#include <bridge/detail/scheduler.hpp>
#include <bridge/detail/shared.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace bridge::detail {

/// The io_context of one image's I/O objects in a same-thread loop. The loop waits for its
/// descriptor and has it polled; only code of its own image touches what is Asio's, so everything
/// is virtual. Called on the loop's thread where nothing else is said.
class loop_io {
public:
    loop_io();
    loop_io(const loop_io&) = delete;
    loop_io& operator=(const loop_io&) = delete;
    virtual ~loop_io();

    const image& of() const noexcept { return *of_; }

    /// Of this image only.
    boost::asio::execution_context& context() noexcept { return context_; }

    /// Readable where an operation may go on, a timer is due, or, while armed, a handler was
    /// queued.
    virtual int descriptor() const noexcept;

    /// Whether handlers are queued that need no look at the descriptor. No GIL.
    virtual bool has_handlers() noexcept;

    /// Runs so many handlers at most; how many there were. Stops where the next one belongs after a
    /// timer of Python's that it has come past. No GIL.
    virtual int poll(int most, python_timers& python) noexcept;

    /// Before the loop sleeps: from here on a handler that any thread queues makes the descriptor
    /// readable. False where one is queued already. No GIL.
    virtual bool arm() noexcept;

    /// The loop is awake and will look. No GIL.
    virtual void disarm() noexcept;

    /// Destroys what is pending; it lives on for those who still hold its I/O objects. No GIL.
    virtual void end() noexcept;

    /// Tells the loop of exceptions that escaped handlers. GIL.
    virtual void report_escaped(py::handle loop) noexcept;

    /// What it waits for.
    struct waits {
        std::optional<std::chrono::steady_clock::time_point> first_timer; ///< in virtual time
        bool elsewhere = false; ///< for what takes real time: I/O, and timers of another clock
    };

    /// While the loop has virtual time and none of the handlers is queued.
    virtual waits find_waits() noexcept;

    /// The loop's virtual time has changed: the next poll looks which timers are due.
    virtual void note_time();

    loop_io* next = nullptr; ///< in its loop
    bool ready = false;      ///< what the loop saw when it last looked

private:
    static constexpr auto not_passed = -std::numeric_limits<double>::infinity();

    struct mark;
    struct marks;

    void set_marks(const python_timers& python);
    int poll_marked(int most, python_timers& python);

    std::unique_ptr<marks> marks_memory_; // of operations of the context, which ends before it
    const image* of_ = &own_image;
    ending<boost::asio::io_context> context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::vector<std::exception_ptr> escaped_;               // from handlers of the user's own
    std::vector<boost::asio::steady_timer> marks_;          // due when Python's are
    double passed_ = not_passed;                            // the last of them that has come
    bool ran_mark_ = false;                                 // the last handler was one's
    std::optional<boost::asio::steady_timer> time_changed_; // always due
};

/// Whether a loop can wait for this image's Asio: where it uses another reactor than epoll, its I/O
/// objects belong to the default runtime, and their handlers come to the loop through its port.
bool loop_io_works() noexcept;

} // namespace bridge::detail
