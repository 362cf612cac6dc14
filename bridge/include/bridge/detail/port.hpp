// SPDX-License-Identifier: Apache-2.0
// The port of a Python loop: the only way from native threads into it.
#pragma once

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/error.hpp>
#include <bridge/stats.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bridge::detail {

/// What native threads put into a port; embedded in what it announces, so that posting does not
/// allocate. Delivered on the loop thread, GIL held; `alive` is false where the loop has ended.
struct port_node {
    port_node* next = nullptr;
    void (*deliver)(port_node* self, bool alive) noexcept = nullptr;
};

/// A waiter to be woken when everything that a drain brought is settled. Loop thread only.
struct port_waiter {
    port_waiter* next = nullptr;
    /// False where a Python error is set that has to end the loop's run.
    bool (*wake)(port_waiter* self, bool directly) noexcept = nullptr;
};

class loop_context;
class event_descriptor;
class port;
class scheduler;
struct shared_state;

struct port_member;

/// What can be done with a kind of members. Those without cancel() are no native work: a loop's end
/// does not wait for them.
struct port_member_kind {
    void (*abandon)(port_member* self, errc why) noexcept; ///< the loop or the threads have ended
    void (*cancel)(port_member* self) noexcept = nullptr;
    std::string (*describe)(const port_member* self) = nullptr;
    const scheduler* (*runs_on)(const port_member* self) noexcept = nullptr;
    void (*warn)(port_member* self) noexcept = nullptr; ///< it has not ended when it was due
};

/// Something in flight that has to hear when its loop ends. Loop thread only.
struct port_member {
    const port_member_kind* kind = nullptr;
    port_member* next = nullptr;
    port_member** link = nullptr; ///< what points at this
    port* home = nullptr;         ///< null while not a member

    // Asked to end, and whoever asked waits for it.
    bool asked = false;
    port_member* next_asked = nullptr;
    port_member** asked_link = nullptr; ///< what points at this; null while not watched
    std::chrono::steady_clock::time_point due{};
};

/// A lock-free queue into one event loop. Any thread pushes without the GIL; the first push into an
/// empty queue wakes the loop, the rest ride along; the loop thread drains, a budget at a time.
class port {
public:
    /// The port of a loop, made at first use. Requires the GIL. Throws loop_closed.
    static intrusive_ptr<port> of(py::handle loop);

    /// The same, or null where it has none yet. Requires the GIL. Throws forked.
    static intrusive_ptr<port> find(py::handle loop);

    /// The same; in a forked child the copy of the parent's, which is not open.
    static intrusive_ptr<port> find_or_copy(py::handle loop);

    /// Makes the port of a loop whose selector runs the context: that wakes and drains it.
    /// Requires the GIL.
    static intrusive_ptr<port> make(py::handle loop, loop_context& host);

    /// The context that runs in this loop's own selector; null for a foreign loop. No GIL.
    loop_context* host() const noexcept { return host_; }

    /// Delivers what has arrived, a budget of it, and wakes who waited for it. False where a Python
    /// error is set that has to end the loop's run. Loop thread, GIL held.
    bool deliver() noexcept;

    /// Whether there is something to deliver. Loop thread.
    bool has_arrivals() const noexcept;

    /// Whether the loop has callbacks to run, which must run before anything woken now.
    bool has_ready_callbacks() const noexcept;

    port(const port&) = delete;
    port& operator=(const port&) = delete;

    /// Any thread, no GIL, never blocks. False where the loop has ended: nothing was queued.
    bool push(port_node* node) noexcept;

    /// The loop, borrowed; valid while the port is open. Requires the GIL.
    py::handle loop() const noexcept { return loop_; }

    bool is_open() const noexcept;

    /// Wakes the waiter at the end of this drain: what arrived together is settled before any of it
    /// is seen. Only from deliver().
    void wake_after_drain(port_waiter* waiter) noexcept;

    void join(port_member& member) noexcept;
    static void leave(port_member& member) noexcept;

    /// Asks all native work among the members to stop and calls `when_idle` in the loop once the
    /// last has left. How many there are; nothing is called where there are none.
    std::size_t cancel_members(py::object when_idle);

    /// The member was asked to end: warns if it is still one in a while. The first time counts.
    static void watch_ending(port_member& member) noexcept;

    /// How much native work there is among the members. Requires the GIL.
    std::size_t native_work() const noexcept { return native_work_; }

    /// The native work that has joined and not left, and where it waits. Requires the GIL.
    std::vector<std::string> describe_members() const;

    /// This loop runs for somebody who keeps the thread of another one: that one and those below it
    /// stand still meanwhile. Before anything is pushed; requires the GIL.
    void stop_below(py::handle stopped);

    /// Whether the other loop stands still while this one runs. Any thread, no GIL.
    bool is_above(const port& other) const noexcept { return is_above(other.identity_); }

    bool is_above(const void* loop) const noexcept;

    /// Delivers everything as "the loop has ended" and abandons the members. Requires the GIL.
    void close(errc why = errc::loop_closed) noexcept;

    /// Closes the ports of all loops. Requires the GIL.
    static void close_all() noexcept;

    /// Tells all loops that nothing will be heard any more from threads that have ended: who still
    /// waits for them in Python is settled with runtime_stopped. Any thread, no GIL.
    static void tell_ended(scheduler& threads) noexcept;

    /// Those of all loops. Any thread, no GIL.
    static std::vector<intrusive_ptr<port>> all_open();

    /// In a forked child: closes them without a word to anybody.
    static void mark_copies(shared_state& in) noexcept;

    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

    void release() noexcept;

    /// What stats() shows of it. Requires the GIL.
    loop_stats stats() const noexcept;

private:
    static constexpr auto no_timer = std::chrono::steady_clock::time_point::max();

    port(py::handle loop, loop_context* host);
    ~port();
    void attach();
    void enter_table();
    void wake() noexcept;
    bool drain() noexcept;
    port_node* take_arrivals() noexcept;
    void deliver_some(std::chrono::steady_clock::time_point deadline) noexcept;
    void deliver_undelivered_as_dead() noexcept;
    bool wake_waiters() noexcept;
    bool nothing_queued_before() const noexcept;
    void tell_idle() noexcept;
    void abandon_members(const scheduler* on, errc why) noexcept;
    void set_timer(std::chrono::steady_clock::time_point due) noexcept;
    void warn_of_slow_members() noexcept;
    void unwatch(port_member& member) noexcept;
    void enter_list();
    void leave_list() noexcept;
    static PyObject* on_readable(PyObject* self, PyObject*) noexcept;
    static PyObject* on_attach(PyObject* self, PyObject*) noexcept;
    static void on_reader_gone(PyObject* capsule) noexcept;
    static PyObject* on_timer(PyObject* self, PyObject*) noexcept;
    static PyMethodDef timer_method;
    static PyMethodDef readable_method;
    static PyMethodDef attach_method;

    std::atomic<int> references_{1};
    std::atomic<port_node*> head_{nullptr};
    std::atomic<std::uint64_t> wakes_{0};
    std::uint64_t delivered_ = 0;
    std::uint64_t drains_ = 0;
    std::chrono::steady_clock::duration drain_time_{};
    std::chrono::steady_clock::duration longest_drain_{};
    std::size_t native_work_ = 0; // members that are
    const void* identity_;        // of the loop, also when it is gone
    std::vector<const void*> below_;
    port_node* undelivered_ = nullptr; // what a drain left for the next turn
    port_waiter* first_waiter_ = nullptr;
    port_waiter** last_waiter_ = &first_waiter_;
    port_member* members_ = nullptr;
    port_member* first_asked_ = nullptr;
    port_member** last_asked_ = &first_asked_;
    std::chrono::steady_clock::time_point timer_due_ = no_timer;
    port* next_ = nullptr; // in shared().ports
    port** link_ = nullptr;
    PyObject* when_idle_ = nullptr;
    PyObject* loop_;
    PyObject* key_; // weak reference to the loop, the port's key in imports
    loop_context* host_;
    event_descriptor* descriptor_ = nullptr; // owned; without a host
    bool shows_ready_queue_;
};

} // namespace bridge::detail
