// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/stream_state.hpp>

#include "crossing/stream_pump.hpp"
#include "python/exit.hpp"

#include <bridge/detail/crossing.hpp>
#include <bridge/detail/references.hpp>
#include <bridge/detail/report.hpp>

#include <unistd.h>

#include <stdexcept>

namespace bridge::detail {
namespace {

// What nobody took, unless it says no more than that somebody asked for the end.
void report(py::handle loop, const char* message, const std::exception_ptr& error) {
    if (!error)
        return;
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error&) {
        return; // cancelled, or the loop's end
    } catch (...) {
        report_exception(loop, message, to_python_exception(std::current_exception()));
    }
}

} // namespace

stream_state::stream_state(task_locals locals, py_ref iterable, std::size_t buffer) noexcept
    : buffer_(buffer), low_(buffer / 2), process_(::getpid()), locals_(std::move(locals)),
      iterable_(std::move(iterable)) {
    poke_.owner = this;
    poke_.deliver = &deliver_poke;
}

stream_state::~stream_state() = default;

stream_state::turn::turn(std::atomic<bool>& taken, const char* refusal) : taken_(taken) {
    if (taken_.exchange(true, std::memory_order_acq_rel))
        throw std::logic_error(refusal);
}

// In a forked child the turn that is taken is the parent's.
void stream_state::check_process(const std::atomic<bool>& taken) const {
    if (taken.load(std::memory_order_relaxed) && ::getpid() != process_)
        throw_error(errc::forked);
}

stream_state::turn stream_state::take_asking_turn() {
    check_process(asking_);
    return {asking_, "stream: another next() of this stream is pending; a stream has one consumer, "
                     "which awaits one next() after the other"};
}

stream_state::turn stream_state::take_closing_turn() {
    check_process(asking_to_close_);
    return {asking_to_close_, "stream: another close() of this stream is pending; await that one"};
}

void stream_state::begin() noexcept {
    if (buffer_ == 0)
        return;
    paused_.store(false, std::memory_order_relaxed);
    poke(); // where that fails, next() says so
}

errc stream_state::refusal() const noexcept {
    if (::getpid() != process_)
        return errc::forked;
    // Loops are closed at the exit first, and only then the gate.
    const bool ends = shared().exit_thread.load(std::memory_order_acquire) != nullptr;
    return ends || !interpreter_gate().is_open() ? errc::interpreter_gone : errc::loop_closed;
}

void stream_state::check_loop() const {
    if (!port_of(locals_).is_open())
        throw_error(refusal());
}

bool stream_state::poke() noexcept {
    if (poke_queued_.exchange(true, std::memory_order_acq_rel))
        return true;
    retain();
    if (port_of(locals_).push(&poke_))
        return true;
    release(); // not the last one: who calls this has one
    return false;
}

void stream_state::deliver_poke(port_node* self, bool alive) noexcept {
    const auto owner = intrusive_ptr<stream_state>::adopt(static_cast<node*>(self)->owner);
    owner->poke_queued_.exchange(false, std::memory_order_acq_rel);
    if (owner->dropped_.load(std::memory_order_acquire))
        owner->drop_is_known_ = true;
    if (alive)
        owner->poked();
    else
        owner->fail(owner->refusal());
}

void stream_state::poked() noexcept {
    if (is_closed())
        return settle_drop(true);
    if (!std::exchange(begun_, true))
        start_pump(*this);
    else if (pump_ != nullptr)
        poke_pump(*pump_);
}

void stream_state::fail(errc why) noexcept {
    if (is_closed())
        return settle_drop(false);
    const auto error = std::make_exception_ptr(boost::system::system_error(make_error_code(why)));
    end(error);
    close(error);
}

std::size_t stream_state::size() const noexcept {
    const auto taken = head_.load(std::memory_order_acquire);
    return tail_.load(std::memory_order_acquire) - taken;
}

bool stream_state::has_room() const noexcept {
    const auto items = size();
    return items < buffer_ || (items == 0 && is_asked());
}

bool stream_state::pause() noexcept {
    paused_.exchange(true, std::memory_order_acq_rel);
    const auto items = size();
    const bool is_wanted = (buffer_ > 0 && items <= low_) || (items == 0 && is_asked());
    if (!is_wanted && !is_closing())
        return true;
    paused_.exchange(false, std::memory_order_acq_rel);
    return false;
}

void stream_state::ask_for_more(std::size_t taken) noexcept {
    known_tail_ = tail_.load(std::memory_order_acquire);
    if (buffer_ > 0 && known_tail_ - taken <= low_ &&
        paused_.exchange(false, std::memory_order_acq_rel))
        poke();
}

// What the pump did before it paused is seen here, or the pump sees who asks.
bool stream_state::is_asker_answered(stream_state& self) {
    if (self.paused_.exchange(false, std::memory_order_acq_rel))
        self.poke();
    return self.size() > 0 || self.has_ended() || self.is_closing() ||
           !port_of(self.locals_).is_open();
}

bool stream_state::is_closer_answered(stream_state& self) {
    return self.is_closed();
}

void stream_state::flush() noexcept {
    if (size() > 0)
        wake_asker();
}

void stream_state::wake_asker() noexcept {
    if (auto* asker = stream_wait::take(asker_))
        asker->wake();
}

void stream_state::end(std::exception_ptr error) noexcept {
    if (has_ended())
        return;
    error_ = std::move(error);
    ended_.store(true, std::memory_order_release);
    wake_asker();
}

void stream_state::close(std::exception_ptr error) noexcept {
    if (is_closed())
        return;
    if (is_interpreter_ending())
        iterable_.release(); // left where it is: to drop it would run Python
    iterable_ = {};
    close_error_ = std::move(error);
    closed_.store(true, std::memory_order_release);
    if (auto* closer = stream_wait::take(closer_))
        closer->wake();
    settle_drop(port_of(locals_).is_open());
}

void stream_state::give_up_waiting(std::exception_ptr error) noexcept {
    if (auto* closer = stream_wait::take(closer_))
        closer->wake(std::move(error));
}

std::optional<std::chrono::milliseconds> stream_state::take_deadline() noexcept {
    const auto asked = deadline_asked_.exchange(-1, std::memory_order_acq_rel);
    if (asked < 0)
        return std::nullopt;
    return std::chrono::milliseconds(asked);
}

void stream_state::ask_to_close(std::optional<std::chrono::milliseconds> deadline) {
    if (is_closed())
        return closing_.store(true, std::memory_order_release);
    if (deadline)
        deadline_asked_.store(deadline->count(), std::memory_order_release);
    closing_.store(true, std::memory_order_release);
    wake_asker();
    if (!poke())
        throw_error(refusal());
}

void stream_state::drop() noexcept {
    if (is_closed()) {
        if (error_ || close_error_) {
            dropped_.store(true, std::memory_order_release);
            poke();
        }
        return;
    }
    auto* here = strand::current();
    auto* owner = here != nullptr ? here->as_crossing() : nullptr;
    if (owner != nullptr && !owner->finished()) {
        owner->hold_end();
        owner->retain();
        ends_before_.store(owner, std::memory_order_release);
    }
    dropped_.store(true, std::memory_order_release);
    closing_.store(true, std::memory_order_release);
    wake_asker();
    if (!poke())
        let_crossing_end();
}

void stream_state::let_crossing_end() noexcept {
    auto* held = ends_before_.exchange(nullptr, std::memory_order_acq_rel);
    if (held == nullptr)
        return;
    held->end_one();
    held->release();
}

// The consumer is gone, and the iterator is closed: nobody else will look at these.
void stream_state::settle_drop(bool alive) noexcept {
    if (!drop_is_known_)
        return;
    const py::error_scope keep_set_error;
    if (alive) {
        const auto loop = port_of(locals_).loop();
        report(loop, "an async iterator that C++ no longer reads has failed", error_);
        report(loop, "closing an async iterator that C++ no longer reads has failed", close_error_);
    }
    error_ = nullptr;
    close_error_ = nullptr;
    let_crossing_end();
}

void throw_item_error(py::handle item, std::size_t number, const std::string& wanted) {
    throw python_error(py::reinterpret_borrow<py::object>(PyExc_TypeError)(
        "to_cpp_stream: item " + std::to_string(number) + " is a '" +
        std::string(Py_TYPE(item.ptr())->tp_name) + "', which does not convert to C++ type '" +
        wanted + "'; ask for bridge::py_ref to take items as they are"));
}

} // namespace bridge::detail
