// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/port.hpp>

#include "loop/event_descriptor.hpp"
#include "python/exit.hpp"
#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/detail/steal_or_throw.hpp>
#include <bridge/detail/virtual_time.hpp>
#include <bridge/error.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

namespace bridge::detail {
namespace {

constexpr std::uint64_t many_nodes = 16;
constexpr auto drain_time = std::chrono::milliseconds(1);

bool is_in_debug_mode(PyObject* loop) noexcept {
    const auto flag =
        py::reinterpret_steal<py::object>(PyObject_GetAttr(loop, get_imports().name.debug.ptr()));
    PyErr_Clear();
    return flag && flag.ptr() == Py_True;
}

// Outside the context of the loop's handle that runs a drain: a task that is woken there may run
// the loop again, which enters that context again.
class outside_context {
public:
    explicit outside_context(bool leave) noexcept
        : left_(leave ? Py_XNewRef(current_context()) : nullptr) {
        if (left_ != nullptr && PyContext_Exit(left_) < 0)
            PyErr_WriteUnraisable(left_);
    }

    outside_context(const outside_context&) = delete;
    outside_context& operator=(const outside_context&) = delete;

    ~outside_context() {
        const py::error_scope raised; // what ends the run
        if (left_ != nullptr && PyContext_Enter(left_) < 0)
            PyErr_WriteUnraisable(left_);
        Py_XDECREF(left_);
    }

private:
    PyObject* left_;
};

// The descriptor is ready for that time, so that a nested loop looks into the port.
class signal_meanwhile {
public:
    signal_meanwhile(const event_descriptor* descriptor, const port& of) noexcept
        : descriptor_(descriptor), of_(of) {
        if (descriptor_ != nullptr)
            descriptor_->signal();
    }

    signal_meanwhile(const signal_meanwhile&) = delete;
    signal_meanwhile& operator=(const signal_meanwhile&) = delete;

    ~signal_meanwhile() {
        if (descriptor_ == nullptr)
            return;
        descriptor_->clear();
        if (of_.has_arrivals()) // whose signal may have been cleared with ours
            descriptor_->signal();
    }

private:
    const event_descriptor* descriptor_; // null: none is needed
    const port& of_;
};

} // namespace

port::port(py::handle loop, port_host* host)
    : identity_(loop.ptr()), members_(intrusive_ptr<in_flight>::adopt(new in_flight(loop))),
      loop_(loop.ptr()), key_(nullptr), host_(host) {
    auto key = new_key(loop);
    if (!host_) {
        descriptor_ = intrusive_ptr<event_descriptor>::adopt(new event_descriptor);
        descriptor_->keep_with(key);
    }
    key_ = key.release().ptr();
    const auto base = py::module_::import("asyncio").attr("BaseEventLoop");
    shows_ready_queue_ = py::isinstance(loop, base) && py::hasattr(loop, "_ready");
}

port::~port() = default;

py::object port::find_loop() const noexcept {
    if (!free_threaded && loop_ != nullptr) // else another thread may close it right now
        return py::reinterpret_borrow<py::object>(loop_);
    return members_->find_loop();
}

bool port::push(port_node* node) noexcept {
#ifdef Py_GIL_DISABLED
    pushed_.fetch_add(1, std::memory_order_relaxed);
#endif
    switch (queue_.push(node)) {
    case port_queue::pushed::refused:
        return false;
    case port_queue::pushed::first:
        wake();
        break;
    case port_queue::pushed::behind:
        break;
    }
    return true;
}

void port::wake() noexcept {
    if (host_) {
        if (host_->wake())
            wakes_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    wakes_.fetch_add(1, std::memory_order_relaxed);
    descriptor_->signal();
}

bool port::runs_here() const noexcept {
    const auto running = py::reinterpret_steal<py::object>(
        PyObject_CallNoArgs(get_imports().get_running_loop.ptr()));
    PyErr_Clear();
    return running.ptr() == identity_;
}

bool port::has_ready_callbacks() const noexcept {
    if (loop_ == nullptr)
        return true; // closed under a loop that runs on, at interpreter exit: nothing is woken
    const auto ready =
        py::reinterpret_steal<py::object>(PyObject_GetAttr(loop_, get_imports().name.ready.ptr()));
    const bool none = ready && PyObject_Size(ready.ptr()) == 0;
    PyErr_Clear();
    return !none;
}

// A task may be woken inside the drain only if pure Python could not tell: no task is running (one
// is where a nested loop runs), and no callback was queued that would have run before the wake-up.
// In debug mode asyncio times each step, and names whose it was.
bool port::nothing_queued_before() const noexcept {
    if (!shows_ready_queue_ || has_ready_callbacks() || is_in_debug_mode(loop_))
        return false;
    const auto task = py::reinterpret_steal<py::object>(call_python(
        [this] { return PyObject_CallOneArg(get_imports().current_task.ptr(), loop_); }));
    const bool answer = task && task.is_none();
    PyErr_Clear();
    return answer;
}

// Native threads that share this processor were interrupted to run the loop: what they complete if
// they go on first comes without a wake-up of its own. Not if much comes anyway.
bool port::drain() noexcept {
    descriptor_->clear(); // before the queue is taken: a push after this wakes again
    const bool awaits_more = members_->native_work() > 1 && descriptor_->last_came < many_nodes;
    const bool yielded = awaits_more && descriptor_->yields.yield();
    const std::uint64_t before = delivered_;
    const bool goes_on = deliver();
    descriptor_->last_came = delivered_ - before;
    if (yielded)
        descriptor_->yields.note(descriptor_->last_came > 1);
    return goes_on;
}

bool port::deliver() noexcept {
    drop_released_references();
    if (!has_arrivals())
        return wake_waiters();
    const auto begin = real_clock::now();
    deliver_some(begin + drain_time);
    const bool go_on = wake_waiters();
    const auto time = real_clock::now() - begin;
    drains_.add(1);
    const std::chrono::steady_clock::duration longest = longest_drain_;
    drain_time_.add(time);
    longest_drain_ = std::max(longest, time);
    return go_on;
}

void port::deliver_some(std::chrono::steady_clock::time_point deadline) noexcept {
    delivered_.add(queue_.deliver(deadline));
    if (!is_open()) // what was delivered let another thread in, at interpreter exit
        return queue_.deliver_as_dead();
    if (queue_.has_arrivals())
        wake();
}

void port::wake_after_drain(port_waiter* waiter) noexcept {
    waiter->next = nullptr;
    *last_waiter_ = waiter;
    last_waiter_ = &waiter->next;
}

bool port::wake_waiters() noexcept {
    const bool directly = first_waiter_ != nullptr && nothing_queued_before();
    const bool inside_handle = directly && !host_;
    const outside_context outside(inside_handle);
    // A nested loop that a woken task runs may wait for another one of them.
    const bool several = inside_handle && is_open() && first_waiter_->next != nullptr;
    const signal_meanwhile signalled(several ? descriptor_.get() : nullptr, *this);
    while (first_waiter_ != nullptr) {
        auto* waiter = first_waiter_;
        first_waiter_ = waiter->next;
        if (first_waiter_ == nullptr)
            last_waiter_ = &first_waiter_;
        if (waiter->wake(waiter, directly))
            continue;
        // The rest in the next turn, if the loop runs on.
        if (first_waiter_ != nullptr && is_open())
            wake();
        else if (first_waiter_ != nullptr && loop_ != nullptr)
            wake_in_next_turn();
        return false;
    }
    return true;
}

void port::close(errc why) noexcept {
    if (!queue_.close())
        return;
    const intrusive_ptr<port> alive(this);
    members_->close();
    leave_table();
    queue_.deliver_as_dead();
    members_->abandon(nullptr, why);
    members_->forget_loop();
    loop_ = nullptr;
}

void port::mark_copies(shared_state& in) noexcept {
    for (auto* one = in.ports; one != nullptr; one = one->link_.next) {
        one->queue_.close_copy();
        one->members_->close_copy();
    }
}

// A loop that runs on another thread, a daemon, has to be left to that; what it waits for is ended.
void port::close_at_exit() noexcept {
    const auto is_running = [this] {
        const auto answer =
            py::reinterpret_steal<py::object>(PyObject_CallMethod(loop_, "is_running", nullptr));
        PyErr_Clear();
        return answer && answer.ptr() == Py_True;
    };
    if (free_threaded && !runs_here() && is_running())
        return members_->cancel_each();
    if (host_)
        host_->close(errc::interpreter_gone);
    else
        close(errc::interpreter_gone);
}

void port::stop_below(py::handle stopped) {
    below_.push_back(stopped.ptr());
    if (const auto its_port = find(stopped))
        below_.insert(below_.end(), its_port->below_.begin(), its_port->below_.end());
}

bool port::is_above(const void* loop) const noexcept {
    return std::find(below_.begin(), below_.end(), loop) != below_.end();
}

// Only a drain takes nodes out, and that holds the GIL too, if there is one.
std::size_t port::count_queued() const noexcept {
#ifdef Py_GIL_DISABLED
    const std::uint64_t delivered = delivered_; // first: it is never more than what was pushed
    return is_open() ? pushed_.load(std::memory_order_relaxed) - delivered : 0;
#else
    return queue_.size();
#endif
}

loop_stats port::stats() const noexcept {
    loop_stats all;
    all.same_thread = static_cast<bool>(host_);
    all.contexts = host_ ? host_->count_io() : 0;
    all.in_flight = members_->native_work();
    all.queued = count_queued();
    all.delivered = delivered_;
    all.wakes = wakes_.load(std::memory_order_relaxed);
    all.drains = drains_;
    all.drain_time = drain_time_;
    all.longest_drain = longest_drain_;
    return all;
}

} // namespace bridge::detail
