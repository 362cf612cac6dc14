// SPDX-License-Identifier: Apache-2.0
// What runs inside the selector of an event loop of ours: native handlers, and the wait for both
// sides.
#pragma once

#include "same_thread/python_timers.hpp"

#include <bridge/detail/io_context_of.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/detail/port_host.hpp>
#include <bridge/detail/scheduler.hpp>
#include <bridge/detail/virtual_time.hpp>

#include <poll.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace bridge::detail {

class event_descriptor;
class loop_io;

/// A scheduler with one thread, which runs the Python loop. Each image has an io_context of its own
/// in it (loop_io). Its methods are called with the GIL held, on the loop's thread, if nothing else
/// is said. Those that other images call are virtual; it is not final, or the compiler would call
/// the calling image's copy of them all the same.
class loop_context : public scheduler, public port_host {
public:
    /// Waits for the selector's own descriptor, which is readable while one of the loop's is ready.
    explicit loop_context(int selector_fd);

    /// The loop whose selector this is; makes its port.
    void attach(py::handle loop);

    /// The loop starts, and stops, running on this thread.
    void begin();
    void end();

    /// The inside of the selector's select(): runs native handlers, the GIL released, until
    /// something is ready or the time has passed, and delivers what ended. A negative timeout waits
    /// without end. 1: the loop's own descriptors have to be asked; 0: none of them is ready; 2:
    /// this is a forked child's copy, and nothing was waited for; -1: a Python error is set.
    int turn(double timeout) noexcept;

    /// Between two of the loop's callbacks: native handlers that are ready run. False where a
    /// Python error is set that has to end the loop's run.
    bool run_share() noexcept;

    /// From the next run on the loop has virtual time: it is what this says, and changes when this
    /// says so. Handlers see it as virtual_now. Throws std::runtime_error where Asio is waited for
    /// in another way.
    void set_time(std::chrono::steady_clock::time_point time);

    /// What it is now, virtual or not.
    std::chrono::steady_clock::time_point time() const noexcept;

    /// Whether no handler is ready on either side, as far as the native one knows.
    bool is_idle() noexcept;

    /// What pends in virtual time while it is idle.
    struct waits {
        std::optional<std::chrono::steady_clock::time_point> first_timer;
        bool in_io = false;      ///< for what takes real time and wakes the loop at its end
        bool on_threads = false; ///< for functions on threads of the bridge's
    };

    waits find_waits() noexcept;

    /// Waits really, until something is ready or the time has passed; runs nothing. Negative:
    /// without end.
    void sleep(double seconds) noexcept;

    /// The loop has ended: closes the port, lets cancelled coroutines unwind as far as they do
    /// without waiting, destroys the rest. May be called again.
    void close(errc why = errc::loop_closed) noexcept override;

    scheduler& threads() noexcept override { return *this; }

    void retain() noexcept override { scheduler::retain(); }

    void release() noexcept override { scheduler::release(); }

    /// For the garbage collector: visits what native work of this loop holds.
    int traverse(visitproc visit, void* arg) const noexcept;

    /// Any thread, no GIL. False if the loop is awake and will look.
    bool wake() noexcept override;

    /// As scheduler says: any thread, no GIL.
    void schedule(strand& held, strand_task* first) noexcept override;
    bool is_own_thread() const noexcept override;
    bool may_start_here() const noexcept override;
    bool needs_this_thread() const noexcept override;

    boost::asio::execution_context& context() override { return io_context_of(*this); }

    loop_context* as_loop() noexcept override { return this; }

    /// The part of an image, null where it has none yet. Any thread, no GIL.
    virtual loop_io* find_io(const image& of) const noexcept;

    /// Takes the part of an image that has none yet; another thread may have been faster. The one
    /// that is there; null where the loop has ended. Any thread, no GIL.
    virtual loop_io* add_io(std::unique_ptr<loop_io> part) noexcept;

    /// How many parts it has. Any thread, no GIL.
    std::size_t count_io() const noexcept override;

private:
    static constexpr double no_limit = std::numeric_limits<double>::infinity();

    class stay;

    ~loop_context() override;

    errc ended_as() const noexcept override { return errc::loop_closed; }

    // How many handlers they ran.
    int run_ready(bool also_io) noexcept;
    int run_strands() noexcept;
    int run_io() noexcept;
    int poll_io() noexcept;

    strand* take_strand() noexcept;
    void read_timers() noexcept;
    bool limit_timers() noexcept;
    bool call_loop(const char* method, const py::object& argument = {}) noexcept;
    bool wait(double timeout) noexcept;
    void note_arrivals() noexcept;
    void sleep_inside(double timeout) noexcept;
    void look(double timeout) noexcept;
    bool arm_io() noexcept;
    void disarm_io() noexcept;

    loop_io* first_io() const noexcept { return first_io_.load(std::memory_order_seq_cst); }

    bool deliver() noexcept;
    std::chrono::steady_clock::time_point
    end_of_turn(std::chrono::steady_clock::time_point begun) const noexcept;
    bool deliver_and_go_on(int ran, std::chrono::steady_clock::duration share,
                           bool may_look) noexcept;
    bool split_callbacks() noexcept;
    bool has_ready_strands() const noexcept;
    bool has_nothing_to_do() const noexcept;
    bool is_loop_flag_set(const py::object& name) const noexcept;
    bool runs_elsewhere() const noexcept;
    void unwind() noexcept;
    void destroy_pending() noexcept;

    const int selector_;
    event_descriptor* const wakeup_; // owned
    intrusive_ptr<port> port_;
    std::atomic<loop_io*> first_io_{nullptr}; // newest first; owned, for as long as this lives
    std::atomic<strand*> ready_{nullptr};     // held strands, newest first
    strand* next_ = nullptr;                  // those before them, oldest first
    double limit_ = no_limit;                 // the last timer that Python may take in this turn
    std::chrono::steady_clock::time_point looked_at_{};
    python_timers python_;                       // when it last looked
    PyObject* heap_name_ = nullptr;              // "_scheduled", for ever
    std::atomic<bool> sleeping_{false};          // without anything to do
    std::atomic<std::thread::id> inside_{};      // the thread that runs handlers now
    std::atomic<std::thread::id> loop_thread_{}; // the thread that runs the loop now
    std::vector<pollfd> watched_;                // the selector, the wake-up, the parts
    bool selector_ready_ = false;                // when it last looked
    std::chrono::steady_clock::time_point turned_at_ = real_clock::now();
    std::optional<std::chrono::steady_clock::time_point> virtual_;
    const std::chrono::steady_clock::time_point* virtual_before_ = nullptr; // when it began
    std::optional<std::uint64_t> delivered_before_; // a sleep, if others may push meanwhile
    bool yielded_ = false;                          // after it
    bool closed_ = false;
    intrusive_ptr<port> begun_with_; // while the loop runs, closed or not
    port* before_ = nullptr;         // that ran on the loop's thread when it began
};

} // namespace bridge::detail
