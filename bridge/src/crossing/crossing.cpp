// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/crossing.hpp>

#include "crossing/coroutine.hpp"
#include "crossing/traceback.hpp"
#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>

namespace bridge::detail {

crossing& crossing::of_node(void* node) noexcept {
    return static_cast<crossing&>(*static_cast<crossing_nodes*>(node)); // its first member
}

crossing& crossing::of_entry(void* frame) noexcept {
    return static_cast<crossing&>(*static_cast<entry_frame*>(frame));
}

void crossing::begin_entry(void* frame) noexcept {
    auto& self = of_entry(frame);
    if (self.await_body(&end_entry))
        return;
    self.error_ = std::make_exception_ptr(
        std::logic_error("the C++ coroutine is empty: it was moved from, or never was the result "
                         "of a coroutine function"));
    self.drop_body();
    self.finish();
    self.end();
}

void crossing::end_entry(void* frame) noexcept {
    auto& self = of_entry(frame);
    self.end_body();
    if (self.error_)
        self.error_trace_ = self.take_trace(self.error_);
    self.finish();
    self.end();
}

// After its end, or where it waits, when nothing will resume it.
void crossing::destroy_entry(void* frame) noexcept {
    auto& self = of_entry(frame);
    if (!self.has_ended()) {
        self.drop_body();
        self.finish();
    }
    self.release(); // that of Asio's executor
}

void crossing::request_cancel() noexcept {
    requests_.fetch_add(1, std::memory_order_acq_rel);
    if (cancel_queued_.exchange(true, std::memory_order_acq_rel))
        return;
    retain();
    post(static_cast<cancel_task*>(this));
}

// What was never started runs no handler, so that a request would keep it for ever.
void crossing::drop() noexcept {
    if (born_held_ && cancel_queued_.exchange(false, std::memory_order_acq_rel))
        release();
    release();
}

void crossing::run_cancel(strand_task* self, bool call) {
    const auto owner =
        intrusive_ptr<crossing>::adopt(&static_cast<crossing&>(static_cast<cancel_task&>(*self)));
    owner->cancel_queued_.store(false, std::memory_order_release);
    if (!call || owner->finished_)
        return;
    owner->emitted_ = owner->requests_.load(std::memory_order_acquire);
    if (!owner->listens_)
        owner->answered_ = owner->emitted_;
    if (owner->others_)
        owner->others_->begin_request();
    owner->cancellation_.emit(boost::asio::cancellation_type::all);
    if (owner->others_)
        owner->others_->end_request();
}

void crossing::start_there() noexcept {
    if (on().is_parents_copy()) { // whose locks may be a thread's of the parent
        fail_to_start();
        return announce();
    }
    started_there_ = true;
    on().crossing_began();
    std::construct_at(&first, strand_task{nullptr, &run_start});
    if (std::exchange(born_held_, false))
        on().schedule(*this, &first);
    else
        post(&first);
}

void crossing::run_start(strand_task* self, bool call) {
    auto* owner = &of_node(self);
    if (call)
        return owner->start();
    owner->fail_to_start();
    owner->on().crossing_ended();
    owner->announce();
}

void crossing::fail_to_start() noexcept {
    error_ = std::make_exception_ptr(boost::system::system_error(make_error_code(on().refusal())));
    finished_ = true;
}

void crossing::delegate(awaiting& to) noexcept {
    delegation_ = &to;
    if (!inline_)
        announce();
}

void crossing::finish() noexcept {
    answered_at_end_ = answered_; // what it has spawned may go on
    take_trace(nullptr);          // of an exception that the coroutine caught
    finished_ = true;
    if (std::exchange(started_there_, false))
        on().crossing_ended();
    if (!inline_)
        end_one();
}

// One piece of news is enough, also of two things: whoever gets it looks how matters stand.
void crossing::announce() noexcept {
    if (news_queued_.exchange(true, std::memory_order_acq_rel))
        return;
    retain();
    std::construct_at(&news, port_node{nullptr, &deliver_completion});
    if (locals() && port_of(locals()).push(&news))
        return;
    news_queued_.store(false, std::memory_order_relaxed);
    if (auto* delegator = take_delegation())
        delegator->refuse(errc::loop_closed);
    release();
}

py::object crossing::keep_object() noexcept {
    const std::lock_guard lock(object_mutex_);
    const bool kept = object_ != nullptr && try_new_reference(as_object(object_));
    return py::reinterpret_steal<py::object>(kept ? as_object(object_) : nullptr);
}

void crossing::deliver_completion(port_node* self, bool alive) noexcept {
    const auto owner = intrusive_ptr<crossing>::adopt(&of_node(self));
    owner->news_queued_.exchange(false, std::memory_order_acq_rel); // before it looks
    const auto kept = free_threaded ? owner->keep_object() : py::object();
    auto* object = free_threaded ? as_coroutine(kept.ptr()) : owner->object_;
    if (object != nullptr && alive) {
        on_crossing_ready(*object);
        return;
    }
    auto* delegator = owner->take_delegation();
    if (delegator != nullptr && alive)
        delegator->run_as_task(); // its awaiting task is gone; it has to run all the same
    else if (delegator != nullptr)
        delegator->refuse(errc::loop_closed);
}

void set_crossing_error(const std::exception_ptr& error, const exception_trace* trace) noexcept {
    const auto exception = to_python_exception(error);
    // Cancelling is not a failure to be looked into, and it has to be cheap.
    if (trace != nullptr && !py::type::handle_of(exception).is(get_imports().cancelled_error))
        add_traceback(exception, *trace);
    if (PyErr_GivenExceptionMatches(exception.ptr(), PyExc_StopIteration) == 0) {
        set_exception(exception);
        return;
    }
    // PEP 479: it would end the coroutine that awaits instead of reaching it.
    PyErr_SetString(PyExc_RuntimeError, "coroutine raised StopIteration");
    const auto replacement = take_set_exception();
    PyException_SetCause(replacement.ptr(), exception.inc_ref().ptr());
    PyException_SetContext(replacement.ptr(), exception.inc_ref().ptr());
    set_exception(replacement);
}

} // namespace bridge::detail
