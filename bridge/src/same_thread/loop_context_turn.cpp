// SPDX-License-Identifier: Apache-2.0
// One turn of the loop: what each side gets of it, and in which order.
#include "same_thread/loop_context.hpp"

#include "loop/event_descriptor.hpp"
#include "python/exit.hpp"
#include "python/imports.hpp"
#include "same_thread/loop_io.hpp"

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/in_flight.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/gil.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>

namespace bridge::detail {
namespace {

using clock = real_clock;

// How long one select() goes on with native work while the loop has nothing of its own to run.
constexpr auto turn_time = std::chrono::milliseconds(1);
// While it has, native work gets as long as Python had for its last turn, but no longer than this,
constexpr auto longest_share = std::chrono::milliseconds(10);
// and no less than so many handlers.
constexpr int least_share = 32;
// The descriptors and the clock cost more than a pass may: looked at now and then.
constexpr int passes_between_looks = 16;
constexpr int passes_between_clocks = 4;
constexpr int handlers_between_clocks = 32;
constexpr int handlers_a_pass = 256;
// If so much arrives anyway, it does not wait for more.
constexpr std::uint64_t many_arrivals = 16;
// Native work goes on between Python's callbacks, too: after so many, so often at most.
constexpr Py_ssize_t callbacks_a_share = 32;
constexpr Py_ssize_t most_shares = 16;

double seconds(clock::duration time) noexcept {
    return std::chrono::duration<double>(time).count();
}

} // namespace

// The time in which handlers run: without the GIL, and known as this context's thread.
class loop_context::stay {
public:
    explicit stay(loop_context& in) noexcept : in_(in) {
        in_.inside_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }

    stay(const stay&) = delete;
    stay& operator=(const stay&) = delete;

    ~stay() { in_.inside_.store({}, std::memory_order_relaxed); }

private:
    gil_pause pause_;
    loop_context& in_;
};

strand* loop_context::take_strand() noexcept {
    if (next_ == nullptr && ready_.load(std::memory_order_relaxed) != nullptr)
        next_ = reversed<&strand::next_ready>(ready_.exchange(nullptr, std::memory_order_acquire));
    auto* const taken = next_;
    if (taken != nullptr)
        next_ = taken->next_ready;
    return taken;
}

// Those that are ready now: what they make ready comes in the next pass.
int loop_context::run_strands() noexcept {
    int ran = 0;
    for (auto* one = take_strand(); one != nullptr;) {
        const auto held = intrusive_ptr<strand>::adopt(one);
        held->run_and_leave(held->take_first());
        one = ++ran < handlers_a_pass && next_ != nullptr ? take_strand() : nullptr;
    }
    return ran;
}

// What is ready is noted, and stays so until it looks again.
void loop_context::look(double timeout) noexcept {
    watched_.clear();
    watched_.push_back({selector_, POLLIN, 0});
    watched_.push_back({wakeup_->number(), POLLIN, 0});
    auto* const first = first_io();
    for (auto* one = first; one != nullptr; one = one->next)
        watched_.push_back({one->descriptor(), POLLIN, 0});
    timespec time{};
    time.tv_sec = static_cast<time_t>(timeout);
    time.tv_nsec = static_cast<long>((timeout - static_cast<double>(time.tv_sec)) * 1e9);
    const int found =
        ::ppoll(watched_.data(), watched_.size(), timeout < 0 ? nullptr : &time, nullptr);
    const auto is_ready = [&](std::size_t which) {
        return found > 0 && watched_[which].revents != 0;
    };
    selector_ready_ = is_ready(0);
    if (is_ready(1))
        wakeup_->clear();
    std::size_t which = 2;
    for (auto* one = first; one != nullptr; one = one->next)
        one->ready = is_ready(which++);
}

int loop_context::poll_io() noexcept {
    int ran = 0;
    for (auto* one = first_io(); one != nullptr; one = one->next) {
        if (one->ready || one->has_handlers())
            ran += one->poll(handlers_a_pass, python_);
        if (python_.stopped)
            limit_ = std::min(limit_, python_.passed);
        python_.stopped = false;
        one->ready = false;
    }
    return ran;
}

bool loop_context::arm_io() noexcept {
    bool idle = true;
    for (auto* one = first_io(); one != nullptr && idle; one = one->next)
        idle = one->arm();
    return idle;
}

void loop_context::disarm_io() noexcept {
    for (auto* one = first_io(); one != nullptr; one = one->next)
        one->disarm();
}

int loop_context::run_ready(bool also_io) noexcept {
    if (also_io)
        read_timers();
    const stay here(*this);
    const int ran = run_strands();
    if (!also_io)
        return ran;
    looked_at_ = clock::now();
    look(0);
    return ran + run_io();
}

// What native timers started goes on before those of Python that are due after them.
int loop_context::run_io() noexcept {
    const int ran = poll_io();
    return python_.deadlines.empty() ? ran : ran + run_strands();
}

void loop_context::read_timers() noexcept {
    python_.deadlines.clear();
    if (port_->is_open())
        python_.read(port_->loop(), heap_name_, time());
}

void loop_context::sleep_inside(double timeout) noexcept {
    sleeping_.store(true, std::memory_order_seq_cst);
    const bool idle = has_nothing_to_do() && arm_io();
    look(idle ? timeout : 0);
    sleeping_.store(false, std::memory_order_seq_cst);
    disarm_io();
}

// False where the time has passed, so that timers of Python's may be due: their order is looked
// for.
bool loop_context::wait(double timeout) noexcept {
    python_.deadlines.clear();
    looked_at_ = clock::now();
    const bool awaits_more = port_->is_open() && port_->members().native_work() > 1;
    if (awaits_more)
        delivered_before_ = port_->stats().delivered;
    const stay here(*this);
    sleep_inside(timeout);
    // Another thread that shares this processor was interrupted in completing: see port::drain().
    yielded_ = awaits_more && wakeup_->last_came < many_arrivals && port_->has_arrivals() &&
               wakeup_->yields.yield();
    if (timeout >= 0 && seconds(clock::now() - looked_at_) >= timeout)
        return false;
    run_strands();
    run_io();
    return true;
}

// Of a turn that began with a sleep.
void loop_context::note_arrivals() noexcept {
    const auto before = std::exchange(delivered_before_, std::nullopt);
    if (!before)
        return;
    wakeup_->last_came = port_->stats().delivered - *before;
    if (std::exchange(yielded_, false))
        wakeup_->yields.note(wakeup_->last_came > 1);
}

int loop_context::turn(double timeout) noexcept {
    stay_at_exit();
    if (closed_) {
        PyErr_SetString(PyExc_RuntimeError, "bridge: this event loop was closed");
        return -1;
    }
    if (limit_ != no_limit && !call_loop("_take_all_timers"))
        return -1;
    if (is_parents_copy())
        return 2;
    limit_ = no_limit;
    const auto pythons_part = clock::now() - turned_at_;
    int ran = 0;
    if (timeout == 0 || !has_nothing_to_do() || !wait(timeout))
        ran = run_ready(true);
    if (PyErr_CheckSignals() != 0)
        return -1;
    const auto share = std::min<clock::duration>(pythons_part, longest_share);
    const bool loop_goes_on = deliver_and_go_on(ran, share, true);
    note_arrivals();
    turned_at_ = clock::now();
    if (loop_goes_on && !(limit_timers() && split_callbacks()))
        return -1;
    return loop_goes_on ? selector_ready_ : -1;
}

// If Python has many callbacks to run, native work need not wait for all of them.
bool loop_context::split_callbacks() noexcept {
    if (!port_->is_open() || port_->members().native_work() == 0)
        return true;
    auto* const loop = port_->loop().ptr();
    const auto ready =
        py::reinterpret_steal<py::object>(PyObject_GetAttr(loop, get_imports().name.ready.ptr()));
    auto size = ready ? PyObject_Size(ready.ptr()) : -1;
    if (size <= callbacks_a_share)
        return size >= 0;
    const auto handle =
        py::reinterpret_steal<py::object>(PyObject_GetAttrString(loop, "_native_share"));
    const auto step = std::max(callbacks_a_share, size / most_shares + 1);
    for (auto place = step; handle && place < size; place += step + 1, ++size) {
        const auto done = py::reinterpret_steal<py::object>(
            PyObject_CallMethod(ready.ptr(), "insert", "nO", place, handle.ptr()));
        if (!done)
            return false;
    }
    return static_cast<bool>(handle);
}

bool loop_context::run_share() noexcept {
    stay_at_exit();
    if (closed_ || is_parents_copy())
        return true;
    read_timers();
    // With one of them due it does not look: native ones keep their order.
    const bool looks = python_.deadlines.empty() && limit_ == no_limit;
    python_.deadlines.clear();
    int ran = 0;
    {
        const stay here(*this);
        ran = run_strands();
        if (looks) {
            looked_at_ = clock::now();
            look(0);
            ran += poll_io();
        }
    }
    return deliver_and_go_on(ran, {}, false);
}

// Lets the loop take its timers up to the limit only: not those that have become due since it
// looked for native ones.
bool loop_context::limit_timers() noexcept {
    if (limit_ == no_limit && port_->is_open() && !virtual_) {
        const auto first = python_timers::first_of(port_->loop(), heap_name_, turned_at_);
        const auto looked = seconds(looked_at_.time_since_epoch());
        if (first <= seconds(turned_at_.time_since_epoch()) && first > looked)
            limit_ = looked;
    }
    return limit_ == no_limit || call_loop("_take_timers_until", py::float_(limit_));
}

bool loop_context::call_loop(const char* method, const py::object& argument) noexcept {
    if (!port_->is_open())
        return true;
    auto* const loop = port_->loop().ptr();
    const auto done = py::reinterpret_steal<py::object>(call_python([&] {
        return argument ? PyObject_CallMethod(loop, method, "O", argument.ptr())
                        : PyObject_CallMethod(loop, method, nullptr);
    }));
    return static_cast<bool>(done);
}

// When the native side has had its share, if Python has nothing to run: a timer of Python's that
// becomes due is not kept waiting.
clock::time_point loop_context::end_of_turn(clock::time_point begun) const noexcept {
    const auto end = begun + turn_time;
    if (!port_->is_open() || virtual_)
        return end;
    const auto first = python_timers::first_of(port_->loop(), heap_name_, end);
    return first < seconds(end.time_since_epoch()) ? python_timers::time_of(first) : end;
}

// What was delivered and woken may have started something that is ready at once: it runs in this
// turn, as far as the native side's share goes. Neither side makes the other wait for longer,
// whatever it has queued.
bool loop_context::deliver_and_go_on(int ran, clock::duration share, bool may_look) noexcept {
    const auto begun = clock::now();
    std::optional<clock::time_point> end;
    int ran_in_turn = ran;
    int ran_at_clock = 0;
    for (int pass = 1;; ++pass) {
        if (!deliver())
            return false;
        const bool strands = has_ready_strands();
        if ((!strands && ran == 0) || is_loop_flag_set(get_imports().name.stopping))
            return true;
        const bool python_waits = port_->has_ready_callbacks();
        if (!strands && !python_waits)
            return true; // nothing is known to be ready: the loop waits for it
        const bool asks = !strands || pass % passes_between_looks == 0;
        if (ran_in_turn >= least_share && (asks || pass % passes_between_clocks == 0 ||
                                           ran_in_turn - ran_at_clock >= handlers_between_clocks)) {
            ran_at_clock = ran_in_turn;
            if (!end)
                end = end_of_turn(begun);
            if (clock::now() > (python_waits ? begun + share : *end))
                return true;
        }
        const bool looks = asks && may_look && limit_ == no_limit;
        if (!strands && !looks)
            return true;
        ran = run_ready(looks);
        ran_in_turn += ran;
    }
}

// Sequentially consistent: a host that goes to sleep looks here after it said so.
bool loop_context::has_ready_strands() const noexcept {
    return next_ != nullptr || ready_.load(std::memory_order_seq_cst) != nullptr;
}

bool loop_context::has_nothing_to_do() const noexcept {
    return !has_ready_strands() && !port_->has_arrivals();
}

} // namespace bridge::detail
