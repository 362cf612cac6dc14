// SPDX-License-Identifier: Apache-2.0
// The places at which a test's body waits, on either side; it is cancelled where the tape says so.
#pragma once

#include "choose/tape.hpp"
#include "record/waits.hpp"

#include <bridge/detail/for_harness.hpp>
#include <bridge/py_ref.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bridge::harness {

/// What is drawn where a body waits. Python code that awaits cannot be dropped without a fault of
/// its own, so that dropping is for waits in C++.
enum class cancelled_by : unsigned { nobody, task, signal, drop };

class running_test;

/// Of one run at a time; used again for the next. Any thread, but for what says otherwise.
class await_points final : public wait_listener {
public:
    explicit await_points(running_test& run) : run_(run) {}

    /// Main thread, before a run.
    void begin(tape choices);

    /// `cancel(way)` cancels the body in the loop's thread; whether it could. Requires the GIL.
    void use_loop(const py::object& loop, const py::object& cancel);
    void forget_loop(); ///< requires the GIL

    /// From now on up to leave() the body runs, as a handler of its strand.
    void enter();
    void leave(bool has_failed);

    /// A C++ coroutine waits.
    void on_wait(bridge::detail::strand& on, const bridge::detail::code_place& where) override;

    /// A Python task waits, at the place. What to do to the body. Loop thread.
    cancelled_by draw_in_python(const std::string& place);

    /// Emits the cancellation signal of the body's coroutine.
    void signal() noexcept;

    /// The request of its task has come to its Python code, as an exception.
    void set_reached() noexcept { reached_ = true; }

    /// Whether the tape has it dropped, somewhere.
    bool drops() const;

    bool is_cancelled() const noexcept { return cancelled_; }

    /// Whether the body with its tear-down has ended, which nobody may await any more.
    bool has_ended() const noexcept { return ended_; }

    void set_ended() noexcept { ended_ = true; }

    /// How many choices there were at each draw. After the run.
    std::vector<unsigned> draws() const;

    bool is_used_up() const;

private:
    cancelled_by draw(unsigned of, const std::string& place);
    void cancel_in_loop(cancelled_by way) noexcept;

    running_test& run_;
    const std::thread::id main_ = std::this_thread::get_id();
    py_ref loop_;   // the GIL's
    py_ref cancel_; // likewise
    mutable std::mutex mutex_;
    tape tape_;
    std::vector<unsigned> draws_;
    bridge::detail::body_handle body_;
    std::atomic<bool> armed_{false};
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> reached_{false};
    std::atomic<bool> ended_{false};
    cancelled_by way_ = cancelled_by::nobody;
};

} // namespace bridge::harness
