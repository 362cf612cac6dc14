// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/strand.hpp>

#include <bridge/detail/report.hpp>

#include <cstdio>
#include <cstdlib>

namespace bridge::detail {
namespace {

void call(strand& on, strand_task* task) noexcept {
    try {
        task->run(task, true);
    } catch (...) {
        report_escaped(on, std::current_exception());
    }
}

} // namespace

// Law of the library: whoever takes the GIL on a native thread gives it back before suspending.
void strand::check_gil_was_released() noexcept {
#ifndef NDEBUG
    const gate_guard inside(interpreter_gate());
    if (!inside || !holds_gil())
        return;
    std::fputs("bridge: a handler returned or suspended while it held the GIL; take it with "
               "bridge::with_gil and do not co_await while it is held\n",
               stderr);
    std::abort();
#endif
}

void strand::trace(std::exception_ptr exception, const code_place& place) {
    if (!trace_ || trace_->exception != exception)
        trace_ = std::make_unique<exception_trace>(exception_trace{std::move(exception), {}});
    trace_->places.push_back(place);
}

std::unique_ptr<exception_trace> strand::take_trace(const std::exception_ptr& exception) noexcept {
    auto taken = std::move(trace_);
    return taken && taken->exception == exception ? std::move(taken) : nullptr;
}

void strand::post(strand_task* task) noexcept {
    if (const auto why = this_thread().discards_for; why != errc{})
        ended_as_.store(why, std::memory_order_relaxed); // the task ends what was destroyed
    auto state = state_.load(std::memory_order_relaxed);
    for (;;) {
        if (state == is_free) {
            if (state_.compare_exchange_weak(state, is_held, std::memory_order_acquire,
                                             std::memory_order_relaxed))
                return scheduler_->schedule(*this, task);
            continue;
        }
        if (scheduler_ && scheduler_->is_parents_copy())
            return destroy(task); // its holder is a thread of the parent's
        task->next = state == is_held ? nullptr : reinterpret_cast<strand_task*>(state);
        if (state_.compare_exchange_weak(state, reinterpret_cast<std::uintptr_t>(task),
                                         std::memory_order_release, std::memory_order_relaxed))
            return;
    }
}

void strand::leave() noexcept {
    if (is_mine_alone()) // nobody is there who could post meanwhile
        return state_.store(is_free, std::memory_order_relaxed);
    std::uintptr_t expected = is_held;
    if (!state_.compare_exchange_strong(expected, is_free, std::memory_order_release,
                                        std::memory_order_relaxed))
        scheduler_->schedule(*this, nullptr);
}

strand_task* strand::take_waiting() noexcept {
    if (state_.load(std::memory_order_relaxed) == is_held)
        return nullptr;
    const auto list = state_.exchange(is_held, std::memory_order_acquire);
    return reversed<&strand_task::next>(reinterpret_cast<strand_task*>(list));
}

void strand::run_and_leave(strand_task* first) noexcept {
    counting references(*this);
    const current_scope scope(this);
    if (first != nullptr)
        call(*this, first);
    // One batch a turn: a coroutine that posts to itself for ever must not keep the thread.
    for (auto* task = take_waiting(); task != nullptr;) {
        auto* next = task->next;
        call(*this, task);
        task = next;
    }
    check_gil_was_released();
    references.stop();
    leave();
}

// Frames may end with it, and theirs with them, which say so to their own strands.
void strand::destroy(strand_task* task) noexcept {
    const intrusive_ptr<strand> alive(this);
    auto& why = this_thread().discards_for;
    const auto before = std::exchange(why, scheduler_->refusal());
    task->run(task, false);
    why = before;
}

void strand::discard(strand_task* first) noexcept {
    const intrusive_ptr<strand> alive(this);
    if (first != nullptr)
        destroy(first);
    if (scheduler_->is_parents_copy())
        return; // to destroy the rest would close and deregister what is the parent's
    while (auto* task = take_waiting()) {
        while (task != nullptr) {
            auto* next = task->next;
            destroy(task);
            task = next;
        }
    }
    std::uintptr_t expected = is_held;
    if (!state_.compare_exchange_strong(expected, is_free, std::memory_order_release,
                                        std::memory_order_relaxed))
        discard(nullptr);
}

} // namespace bridge::detail
