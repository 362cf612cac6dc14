// SPDX-License-Identifier: Apache-2.0
// The port of a Python loop: the only way from native threads into it.
#pragma once

#include <bridge/detail/in_flight.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/port_host.hpp>
#include <bridge/detail/port_queue.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/detail/single_writer.hpp>
#include <bridge/error.hpp>
#include <bridge/stats.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace bridge::detail {

class event_descriptor;
struct imports;
struct shared_state;

/// A waiter to be woken when everything that a drain brought is settled. Loop thread only.
struct port_waiter {
    port_waiter* next = nullptr;
    /// False if a Python error is set that has to end the loop's run.
    bool (*wake)(port_waiter* self, bool directly) noexcept = nullptr;
};

/// The door into one event loop. Any thread pushes without the GIL; the first push into an empty
/// queue wakes the loop, the rest ride along; the loop thread drains, a budget at a time.
class port : public reference_counted<port> {
public:
    /// The port of a loop, made at first use. Requires the GIL. Throws loop_closed.
    static intrusive_ptr<port> of(py::handle loop);

    /// The same, or null if it has none yet. Requires the GIL. Throws forked.
    static intrusive_ptr<port> find(py::handle loop);

    /// The same; in a forked child the copy of the parent's, which is not open.
    static intrusive_ptr<port> find_or_copy(py::handle loop);

    /// Makes the port of a loop whose selector runs the host: that wakes and drains it.
    /// Requires the GIL.
    static intrusive_ptr<port> make(py::handle loop, port_host& host);

    /// The host that runs in this loop's own selector; null for a foreign loop. No GIL.
    port_host* host() const noexcept { return host_.get(); }

    /// Any thread, no GIL, never blocks. False if the loop has ended: nothing was queued.
    bool push(port_node* node) noexcept;

    /// Delivers what has arrived, a budget of it, and wakes who waited for it. False if a Python
    /// error is set that has to end the loop's run. Loop thread, GIL held.
    bool deliver() noexcept;

    /// Whether there is something to deliver. Loop thread.
    bool has_arrivals() const noexcept { return first_waiter_ != nullptr || queue_.has_arrivals(); }

    /// Whether the loop has callbacks to run, which must run before anything woken now.
    bool has_ready_callbacks() const noexcept;

    /// Wakes the waiter at the end of this drain: what arrived together is settled before any of it
    /// is seen. Only from deliver().
    void wake_after_drain(port_waiter* waiter) noexcept;

    /// What has to hear when the loop ends. Requires the GIL.
    in_flight& members() const noexcept { return *members_; }

    /// The loop, borrowed; valid while the port is open. Requires the GIL.
    py::handle loop() const noexcept { return loop_; }

    /// The loop; empty once it was collected. Requires the GIL.
    py::object find_loop() const noexcept;

    bool is_open() const noexcept { return queue_.is_open(); }

    /// Whether the calling thread runs the loop. Requires the GIL.
    bool runs_here() const noexcept;

    /// Whether it is the open port of that loop.
    bool is_of(py::handle loop) const noexcept { return identity_ == loop.ptr() && is_open(); }

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

    /// Those of all loops. Any thread, no GIL.
    static std::vector<intrusive_ptr<port>> all_open();

    /// In a forked child: closes them without a word to anybody.
    static void mark_copies(shared_state& in) noexcept;

    /// What stats() shows of it. Requires the GIL.
    loop_stats stats() const noexcept;

private:
    friend class reference_counted<port>;

    port(py::handle loop, port_host* host);
    ~port();
    void attach();
    static py::object new_key(py::handle loop);
    static PyObject* on_loop_gone(PyObject* self, PyObject* reference) noexcept;
    static PyMethodDef gone_method;
    static intrusive_ptr<port> find_by_key(const imports& in, py::handle key);
    void enter_table();
    void leave_table() noexcept;
    void wake() noexcept;
    bool drain() noexcept;
    void deliver_some(std::chrono::steady_clock::time_point deadline) noexcept;
    bool wake_waiters() noexcept;
    bool nothing_queued_before() const noexcept;
    void enter_list();
    void leave_list() noexcept;
    void close_at_exit() noexcept;
    std::size_t count_queued() const noexcept;
    static PyObject* on_readable(PyObject* self, PyObject*) noexcept;
    static PyObject* on_attach(PyObject* self, PyObject*) noexcept;
    void wake_in_next_turn() noexcept;
    static PyMethodDef readable_method;
    static PyMethodDef attach_method;

    port_queue queue_;
    std::atomic<std::uint64_t> wakes_{0};
#ifdef Py_GIL_DISABLED
    std::atomic<std::uint64_t> pushed_{0}; // the queue cannot be looked at while its loop runs
#endif
    single_writer<std::uint64_t> delivered_;
    single_writer<std::uint64_t> drains_;
    single_writer<std::chrono::steady_clock::duration> drain_time_;
    single_writer<std::chrono::steady_clock::duration> longest_drain_;
    const void* identity_; // of the loop, also when it is gone
    std::vector<const void*> below_;
    port_waiter* first_waiter_ = nullptr;
    port_waiter** last_waiter_ = &first_waiter_;
    intrusive_ptr<in_flight> members_;
    list_link<port> link_; // in shared().ports
    PyObject* loop_;
    PyObject* key_; // weak reference to the loop, the port's key in imports
    intrusive_ptr<port_host> host_;
    intrusive_ptr<event_descriptor> descriptor_; // without a host
    bool shows_ready_queue_;
};

} // namespace bridge::detail
