// SPDX-License-Identifier: Apache-2.0
// What is in flight for a loop: who has to hear when the loop or its threads end.
#pragma once

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/detail/python_mutex.hpp>
#include <bridge/detail/single_writer.hpp>
#include <bridge/error.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace bridge::detail {

class in_flight;
class scheduler;
struct in_flight_member;
struct slow_watch;

/// What can be done with a kind of members. Those without cancel() are not native work: a loop's
/// end does not wait for them.
struct in_flight_kind {
    /// The loop or the threads have ended.
    void (*abandon)(in_flight_member* self, errc why) noexcept;
    void (*cancel)(in_flight_member* self) noexcept = nullptr;
    std::string (*describe)(const in_flight_member* self) = nullptr;
    const scheduler* (*runs_on)(const in_flight_member* self) noexcept = nullptr;
    void (*warn)(in_flight_member* self) noexcept = nullptr; ///< it has not ended when it was due
    /// What watch() was called with, or null.
    slow_watch* (*watch)(const in_flight_member* self) noexcept = nullptr;
    /// Visits the references that the member owns, for the garbage collector: they are the loop's.
    int (*traverse)(const in_flight_member* self, visitproc visit, void* arg) noexcept = nullptr;
    /// Of members that another thread may destroy: the object that it is in, or null if that is
    /// being destroyed.
    py::object (*keep)(const in_flight_member* self) noexcept = nullptr;
    /// The garbage collector takes the loop: what the member made for itself there ends unseen.
    void (*silence)(const in_flight_member* self) noexcept = nullptr;
};

/// Something in flight that has to hear when its loop ends. The loop's thread alone makes it a
/// member and ends that.
struct in_flight_member {
    const in_flight_kind* kind = nullptr;
    list_link<in_flight_member> link;
    std::atomic<in_flight*> home = nullptr; ///< null while not a member
};

/// A member that was asked to end, and whoever asked waits for it.
struct slow_watch {
    in_flight_member* of = nullptr; ///< null: nobody has asked yet
    list_link<slow_watch> link;
    std::chrono::steady_clock::time_point due{};
};

/// The members of one loop. Requires the GIL for everything; owned by the loop's port, and by its
/// own timers.
class in_flight : public reference_counted<in_flight> {
public:
    /// Throws what Python throws of a loop that has no weak references.
    explicit in_flight(py::handle loop);

    /// The loop; empty once it was collected. Requires the GIL.
    py::object find_loop() const noexcept;

    /// Does nothing once it is closed: the loop's end has told those that were there.
    void join(in_flight_member& member) noexcept;

    /// Does nothing if it is not a member.
    static void leave(in_flight_member& member) noexcept;

    /// Asks all native work to stop and calls `when_idle` in the loop once the last has left. How
    /// much there is; if there is none, nothing is called.
    std::size_t cancel(py::object when_idle);

    /// The member was asked to end: warns if it is still one in a while. The first time counts.
    static void watch(in_flight_member& member, slow_watch& by) noexcept;

    /// Asks all native work to stop.
    void cancel_each() noexcept;

    /// How much native work there is.
    std::size_t native_work() const noexcept { return native_work_; }

    /// The native work there is, and where it waits.
    std::vector<std::string> describe();

    /// For the garbage collector: visits what the members hold.
    int traverse(visitproc visit, void* arg) const noexcept;

    /// Before the garbage collector ends what it found with the loop, in an order of its own.
    void silence() noexcept;

    /// Abandons those that run on the given threads, or all.
    void abandon(const scheduler* on, errc why) noexcept;

    /// Nobody joins any more, and no warning is given. The loop has ended.
    void close() noexcept;

    /// The same in a forked child, without those who have locked it.
    void close_copy() noexcept;

    /// The last of a closed one: nobody is told that it is idle.
    void forget_loop() noexcept;

private:
    friend class reference_counted<in_flight>;
    using clock = std::chrono::steady_clock;
    static constexpr auto no_timer = clock::time_point::max();

    using kept =
        std::pair<in_flight_member*, py::object>; // and what it is in, if that is an object

    ~in_flight();
    void tell_idle() noexcept;
    bool remove(in_flight_member& member) noexcept;
    bool remove_locked(in_flight_member& member) noexcept;
    kept take(const scheduler* on) noexcept;
    bool note_asked(in_flight_member& member, slow_watch& by, clock::duration slow) noexcept;
    kept take_slow(clock::time_point now, clock::time_point& next_due) noexcept;
    static bool keep(in_flight_member& member, kept& as) noexcept;
    template<class Chosen>
    std::vector<kept> all_that(Chosen chosen) const;
    bool runs_here() const noexcept;
    void unwatch(in_flight_member& member) noexcept;
    void set_timer(clock::time_point due) noexcept;
    void look_there();
    py::object timer_function();
    void warn_of_slow() noexcept;
    static PyObject* on_timer(PyObject* self, PyObject*) noexcept;
    static PyMethodDef timer_method;

    PyObject* loop_;      // borrowed
    PyObject* reference_; // a weak one to it
    bool open_ = true;
    [[no_unique_address]] mutable python_mutex mutex_; // of the lists and their counts
    single_writer<std::size_t> native_work_;           // members that are
    in_flight_member* members_ = nullptr;
    linked_queue<slow_watch, &slow_watch::link> asked_;
    clock::time_point timer_due_ = no_timer;
    PyObject* when_idle_ = nullptr;
};

} // namespace bridge::detail
