// SPDX-License-Identifier: Apache-2.0
#include "same_thread/loop_context.hpp"

#include "loop/event_descriptor.hpp"
#include "python/exit.hpp"
#include "python/imports.hpp"
#include "same_thread/loop_io.hpp"

#include <bridge/detail/report.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/gil.hpp>

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>

namespace bridge::detail {
namespace {

using clock = std::chrono::steady_clock;

// How long one select() goes on with native work while the loop has nothing of its own to run.
constexpr auto turn_time = std::chrono::milliseconds(1);
// While it has, native work gets as long as Python had for its last turn, but no longer than this,
constexpr auto longest_share = std::chrono::milliseconds(10);
// and no less than so many handlers.
constexpr int least_share = 32;
// The clock and the descriptors cost more than a pass: looked at now and then.
constexpr int passes_between_looks = 16;
constexpr int handlers_a_pass = 256;
constexpr int passes_to_unwind = 1000;

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

loop_context::loop_context(int selector_fd)
    : selector_(selector_fd), wakeup_(new event_descriptor) {}

loop_context::~loop_context() {
    for (auto* one = first_io(); one != nullptr;)
        delete std::exchange(one, one->next);
    wakeup_->release();
}

void loop_context::attach(py::handle loop) {
    port_ = port::make(loop, *this);
}

void loop_context::begin() {
    loop_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    begun_with_ = port_;
    before_ = std::exchange(this_thread().running_port, port_.get());
}

void loop_context::end() {
    loop_thread_.store({}, std::memory_order_relaxed);
    if (auto*& running = this_thread().running_port; running == begun_with_.get())
        running = std::exchange(before_, nullptr);
    begun_with_ = {}; // which may hold this
}

bool loop_context::is_own_thread() const noexcept {
    return inside_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

bool loop_context::may_start_here() const noexcept {
    return loop_thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

bool loop_context::needs_this_thread() const noexcept {
    return may_start_here();
}

void loop_context::schedule(strand& held, strand_task* first) noexcept {
    const bool here = is_own_thread();
    const bool inside = here || life().enter();
    if (!inside || is_parents_copy()) {
        if (inside && !here)
            life().leave();
        return held.discard(first);
    }
    held.retain(); // the queue's reference
    held.first_task = first;
    auto* before = ready_.load(std::memory_order_relaxed);
    do
        held.next_ready = before;
    // As in the port: a host that goes to sleep looks here after it said so.
    while (!ready_.compare_exchange_weak(before, &held, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
    if (before == nullptr)
        wake();
    if (!here)
        life().leave();
}

bool loop_context::wake() noexcept {
    if (!sleeping_.load(std::memory_order_seq_cst))
        return false;
    const gate_guard inside(life());
    if (!inside || !sleeping_.exchange(false, std::memory_order_seq_cst))
        return false;
    wakeup_->signal();
    return true;
}

loop_io* loop_context::find_io(const image& of) const noexcept {
    for (auto* one = first_io(); one != nullptr; one = one->next)
        if (&one->of() == &of)
            return one;
    return nullptr;
}

loop_io* loop_context::add_io(std::unique_ptr<loop_io> part) noexcept {
    const gate_guard inside(life());
    if (!inside)
        return nullptr;
    auto* before = first_io();
    do {
        part->next = before;
        if (auto* there = find_io(part->of()))
            return there;
        // As in the port: a host that goes to sleep looks here after it said so.
    } while (!first_io_.compare_exchange_weak(before, part.get(), std::memory_order_seq_cst));
    wake();
    return part.release();
}

std::size_t loop_context::count_io() const noexcept {
    std::size_t count = 0;
    for (const auto* one = first_io(); one != nullptr; one = one->next)
        ++count;
    return count;
}

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
        held->run_and_leave(std::exchange(held->first_task, nullptr));
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
            ran += one->poll(handlers_a_pass);
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
    const stay here(*this);
    const int ran = run_strands();
    if (!also_io)
        return ran;
    look(0);
    return ran + poll_io();
}

void loop_context::wait(double timeout) noexcept {
    const stay here(*this);
    sleeping_.store(true, std::memory_order_seq_cst);
    const bool idle = has_nothing_to_do() && arm_io();
    look(idle ? timeout : 0);
    sleeping_.store(false, std::memory_order_seq_cst);
    disarm_io();
    run_strands();
    poll_io();
}

int loop_context::turn(double timeout) noexcept {
    stay_at_exit();
    if (closed_) {
        PyErr_SetString(PyExc_RuntimeError, "bridge: this event loop was closed");
        return -1;
    }
    if (is_parents_copy())
        return 2;
    const auto pythons_part = clock::now() - turned_at_;
    int ran = 0;
    if (timeout != 0 && has_nothing_to_do())
        wait(timeout);
    else
        ran = run_ready(true);
    if (PyErr_CheckSignals() != 0)
        return -1;
    const auto share = std::min<clock::duration>(pythons_part, longest_share);
    const bool loop_goes_on = deliver_and_go_on(ran, share);
    turned_at_ = clock::now();
    return loop_goes_on ? selector_ready_ : -1;
}

// What was delivered and woken may have started something that is ready at once: it runs in this
// turn, as far as the native side's share goes. Neither side makes the other wait for longer,
// whatever it has queued.
bool loop_context::deliver_and_go_on(int ran, clock::duration share) noexcept {
    const auto begun = clock::now();
    int ran_in_turn = ran;
    for (int pass = 1;; ++pass) {
        if (!deliver())
            return false;
        const bool strands = has_ready_strands();
        if ((!strands && ran == 0) || is_loop_flag_set(get_imports().name.stopping))
            return true;
        const bool python_waits = port_->has_ready_callbacks();
        if (!strands && !python_waits)
            return true; // nothing is known to be ready: the loop waits for it
        const bool looks = !strands || pass % passes_between_looks == 0;
        const clock::duration time = python_waits ? share : turn_time;
        if (looks && ran_in_turn >= least_share && clock::now() - begun > time)
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

bool loop_context::deliver() noexcept {
    if (!port_->is_open())
        return true;
    for (auto* one = first_io(); one != nullptr; one = one->next)
        one->report_escaped(port_->loop());
    return port_->deliver();
}

bool loop_context::is_loop_flag_set(const py::object& name) const noexcept {
    if (!port_->is_open())
        return false;
    const auto flag =
        py::reinterpret_steal<py::object>(PyObject_GetAttr(port_->loop().ptr(), name.ptr()));
    PyErr_Clear();
    return flag && flag.ptr() == Py_True;
}

bool loop_context::runs_elsewhere() const noexcept {
    const auto thread = loop_thread_.load(std::memory_order_relaxed);
    return thread != std::thread::id() && thread != std::this_thread::get_id();
}

void loop_context::close(errc why) noexcept {
    if (closed_)
        return;
    const intrusive_ptr<loop_context> alive(this);
    if (port_)
        port_->close(why);
    // At interpreter exit a daemon thread may still be inside: it keeps what it uses.
    if (runs_elsewhere())
        return;
    closed_ = true;
    if (is_parents_copy())
        return retain(); // leaked: its descriptors are the parent's
    const gil_pause pause;
    unwind();
    life().close(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    destroy_pending();
    port_ = {}; // which holds this
}

void loop_context::unwind() noexcept {
    inside_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    for (int left = passes_to_unwind; left > 0; --left) {
        const int ran = run_strands();
        look(0);
        if (poll_io() + ran == 0)
            break;
    }
    inside_.store({}, std::memory_order_relaxed);
}

// Frames end, and with them their crossings settle; what they post is destroyed in its turn.
void loop_context::destroy_pending() noexcept {
    for (auto* one = first_io(); one != nullptr; one = one->next)
        one->end();
    while (auto* one = take_strand()) {
        const auto held = intrusive_ptr<strand>::adopt(one);
        held->discard(std::exchange(held->first_task, nullptr));
    }
}

} // namespace bridge::detail
