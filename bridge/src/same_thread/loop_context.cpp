// SPDX-License-Identifier: Apache-2.0
#include "same_thread/loop_context.hpp"

#include "loop/event_descriptor.hpp"
#include "python/exit.hpp"
#include "python/imports.hpp"
#include "same_thread/loop_io.hpp"

#include <bridge/detail/report.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/gil.hpp>

#include <chrono>

namespace bridge::detail {
namespace {

constexpr int passes_to_unwind = 1000;

} // namespace

loop_context::loop_context(int selector_fd)
    : selector_(selector_fd), wakeup_(new event_descriptor) {}

loop_context::~loop_context() {
    for (auto* one = first_io(); one != nullptr;)
        delete std::exchange(one, one->next);
    wakeup_->release();
}

void loop_context::attach(py::handle loop) {
    heap_name_ = PyUnicode_InternFromString("_scheduled");
    if (heap_name_ == nullptr)
        throw py::error_already_set();
    port_ = port::make(loop, *this);
}

void loop_context::begin() {
    loop_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    begun_with_ = port_;
    before_ = std::exchange(this_thread().running_port, port_.get());
    virtual_before_ = std::exchange(virtual_now, virtual_ ? &*virtual_ : nullptr);
}

void loop_context::end() {
    loop_thread_.store({}, std::memory_order_relaxed);
    if (auto*& running = this_thread().running_port; running == begun_with_.get())
        running = std::exchange(before_, nullptr);
    virtual_now = std::exchange(virtual_before_, nullptr);
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
    // While it runs the loop, this thread alone ends it.
    const bool here = is_own_thread() || (needs_this_thread() && life().is_open());
    const bool inside = here || life().enter();
    if (!inside || is_parents_copy()) {
        if (inside && !here)
            life().leave();
        return held.discard(first);
    }
    held.retain(); // the queue's reference
    held.begin_with(first);
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
    life().close(real_clock::now() + std::chrono::seconds(1));
    destroy_pending();
    port_ = {}; // which holds this
}

int loop_context::traverse(visitproc visit, void* arg) const noexcept {
    return port_ ? port_->members().traverse(visit, arg) : 0;
}

void loop_context::unwind() noexcept {
    inside_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    python_.deadlines.clear();
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
        held->discard(held->take_first());
    }
}

} // namespace bridge::detail
