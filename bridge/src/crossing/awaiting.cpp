// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/awaiting.hpp>

#include "crossing/coroutine.hpp"
#include "crossing/generator_protocol.hpp"
#include "crossing/task_body.hpp"
#include "python/exit.hpp"
#include "python/imports.hpp"

#include <bridge/detail/context.hpp>
#include <bridge/detail/crossing.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/report.hpp>
#include <bridge/detail/steal_or_throw.hpp>

namespace bridge::detail {
namespace {

// A Future of another loop, which would call back on the other loop's thread, or never.
bool is_foreign_future(py::handle object, py::handle loop) {
    const auto blocking = py::getattr(object, get_imports().name.future_blocking, py::none());
    return !blocking.is_none() && !object.attr("get_loop")().is(loop);
}

// As a task that awaits it: what is done gives its result.
py::object result_of_foreign_future(py::handle future) {
    const auto& name = get_imports().name;
    if (future.attr(name.done)().cast<bool>())
        return future.attr(name.result)();
    PyErr_Format(PyExc_RuntimeError, "to_cpp: %R is attached to a different loop", future.ptr());
    throw py::error_already_set();
}

} // namespace

const in_flight_kind awaiting::task_in_loop{
    .abandon = &awaiting::abandon, .traverse = &awaiting::traverse, .silence = &awaiting::silence};

awaiting::awaiting(py_ref object, task_locals locals) noexcept
    : object_(std::move(object)), locals_(std::move(locals)) {
    start_.owner = this;
    start_.deliver = &deliver_start;
    cancel_.owner = this;
    cancel_.deliver = &deliver_cancel;
    membership_.owner = this;
    membership_.kind = &task_in_loop;
    resume_.owner = this;
    resume_.run = [](strand_task* self, bool call) {
        auto* owner = static_cast<resume_task*>(self)->owner;
        if (call)
            owner->resume();
        else
            end_unresumed(*owner->strand_, owner->coroutine_);
    };
}

void awaiting::operator()(suspended coroutine) noexcept {
    const auto on = coroutine.get_executor();
    if (const auto* ours = on.target<executor>())
        strand_ = intrusive_ptr<strand>(strand_of(*ours));
    coroutine_.emplace(std::move(coroutine));
    connect_cancellation();
    // Locals that somebody chose may be another loop's or context's than the awaiting task's.
    auto* outer = strand_ && !locals_ ? strand_->as_crossing() : nullptr;
    if (outer != nullptr && outer->may_delegate(coroutine_->id()))
        return outer->delegate(*this);
    try {
        if (!locals_)
            locals_ = current_locals();
        if (strand_ && strand_->locals() && port_of(strand_->locals()).is_above(port_of(locals_)))
            throw_error(errc::would_deadlock);
        // Held here: once it is queued, the coroutine may be over before push() returns.
        const intrusive_ptr<port> to(&port_of(locals_));
        if (!to->push(&start_))
            refuse(errc::loop_closed);
    } catch (...) {
        release_unstarted(object_.release());
        error_ = std::current_exception();
        resume_later();
    }
}

// A delegating coroutine learns its locals only when it has to wait.
port& awaiting::its_port() const noexcept {
    return locals_ ? port_of(locals_) : port_of(strand_->locals());
}

void awaiting::connect_cancellation() {
    auto slot = coroutine_->get_cancellation_slot();
    if (!slot.is_connected())
        return;
    slot.assign([this](boost::asio::cancellation_type type) {
        if (type != boost::asio::cancellation_type::none)
            request_cancel();
    });
}

// The request travels in a node of this frame: the coroutine is not resumed while it is on its way.
void awaiting::request_cancel() noexcept {
    if (state_.fetch_or(cancelling, std::memory_order_acq_rel) != 0)
        return; // ended, or a request is on its way
    if (its_port().push(&cancel_))
        return;
    // The port's end settles it, or has done so and left the rest to the request.
    if ((state_.fetch_and(~cancelling, std::memory_order_acq_rel) & ended) != 0)
        resume_later();
}

void awaiting::deliver_cancel(port_node* self, bool alive) noexcept {
    auto* owner = static_cast<node*>(self)->owner;
    if (alive && (owner->state_.load(std::memory_order_acquire) & ended) == 0)
        owner->cancel_in_python();
    if ((owner->state_.fetch_and(~cancelling, std::memory_order_acq_rel) & ended) != 0)
        owner->resume_later();
}

void awaiting::cancel_in_python() noexcept {
    auto* outer = strand_ ? strand_->as_crossing() : nullptr;
    const auto message = outer != nullptr ? cancel_message_of(*outer) : py::object();
    const auto cancelled = runner_ != nullptr ? cancel_delegate(*runner_, message.ptr())
                           : task_            ? call_cancel(task_.handle().ptr(), message.ptr())
                                              : py::none();
    if (!cancelled)
        report_set_error(its_port().loop(), "bridge: cancelling a Python awaitable failed");
    // What has ended, and has yet to say so, was not asked: its value is not an answer.
    asked_python_ = asked_python_ || !cancelled.is(py::handle(Py_False));
}

bool awaiting::settle(PyObject* value) noexcept {
    runner_ = nullptr;
    if (body_ != nullptr)
        std::exchange(body_, nullptr)->owner = nullptr;
    in_flight::leave(membership_);
    if (value == nullptr) {
        try {
            error_ = fetch_python_exception();
        } catch (...) {
            error_ = std::current_exception(); // Python is shutting down
        }
    } else {
        try {
            convert(value);
        } catch (py::error_already_set& e) {
            error_ = std::make_exception_ptr(python_error(e));
        } catch (...) {
            error_ = std::current_exception();
        }
    }
    task_ = {};
    object_ = {};
    return (state_.fetch_or(ended, std::memory_order_acq_rel) & cancelling) == 0;
}

void awaiting::resume() {
    if (asked_python_ && strand_ && strand_->is_answered_by(coroutine_->id()))
        strand_->note_answer(); // Python has answered the request, by a value perhaps
    auto coroutine = std::move(*coroutine_);
    coroutine_.reset();
    coroutine.resume();
}

void awaiting::resume_later() noexcept {
    if (strand_)
        return strand_->post(&resume_);
    coroutine_->post([this] { resume(); });
}

void awaiting::fail(errc error) noexcept {
    in_flight::leave(membership_);
    error_ = std::make_exception_ptr(boost::system::system_error(make_error_code(error)));
    if ((state_.fetch_or(ended, std::memory_order_acq_rel) & cancelling) == 0)
        resume_later();
}

void awaiting::refuse(errc error) noexcept {
    release_unstarted(object_.release());
    fail(error);
}

void awaiting::deliver_start(port_node* self, bool alive) noexcept {
    auto* owner = static_cast<node*>(self)->owner;
    if (alive)
        owner->run_as_task();
    else
        owner->refuse(errc::loop_closed);
}

void awaiting::run_as_task() noexcept {
    if (!locals_)
        locals_ = strand_->locals();
    try {
        start();
    } catch (py::error_already_set& e) {
        if ((state_.load(std::memory_order_acquire) & ended) != 0)
            return; // the callback could not be added, and its end told so
        e.restore();
        if (settle(nullptr))
            resume_later();
    }
}

// In the locals' context: a function sees it, a new task runs in a copy of it.
void awaiting::start() {
    const auto inside = enter(locals_);
    switch (prepare()) {
    case prepared::awaitable:
        break;
    case prepared::value:
        if (const auto value = object_.get(); settle(value.ptr()))
            resume_later();
        return;
    case prepared::failed:
        throw py::error_already_set();
    }
    const bool runs_body = PyCoro_CheckExact(object_.handle().ptr());
    if (!runs_body && is_foreign_future(object_.handle(), locals_.event_loop())) {
        if (const auto value = result_of_foreign_future(object_.handle()); settle(value.ptr()))
            resume_later();
        return;
    }
    const auto body = new_task_body(runs_body ? object_.handle().ptr() : nullptr);
    task_ = py_ref(runs_body ? start_task(body) : wrap_in_future());
    stay_at_exit();
    body_ = as_task_body(body.ptr());
    body_->owner = this;
    port_of(locals_).members().join(membership_);
    if (!runs_body || body_->ended) // an eager Task is over at once
        tell_when_done();
}

bool awaiting::is_cancelling() const noexcept {
    return (state_.load(std::memory_order_acquire) & cancelling) != 0;
}

awaiting::prepared awaiting::prepare() noexcept {
    if (object_)
        return prepared::awaitable;
    if (is_cancelling()) { // before the call: it does not happen
        PyErr_SetNone(get_imports().cancelled_error.ptr());
        return prepared::failed;
    }
    try {
        object_ = py_ref(call_python([this] { return make(); }));
    } catch (...) {
        set_crossing_error(std::current_exception());
        return prepared::failed;
    }
    return can_be_awaited(object_.handle().ptr()) ? prepared::awaitable : prepared::value;
}

py::object awaiting::make() {
    PyErr_SetString(PyExc_TypeError, "to_cpp: an empty py_ref cannot be awaited");
    throw py::error_already_set();
}

py::object awaiting::start_task(const py::object& body) const {
    const auto loop = locals_.event_loop();
    return steal_or_throw(call_python([&] {
        return PyObject_CallMethodOneArg(loop.ptr(), get_imports().name.create_task.ptr(),
                                         body.ptr());
    }));
}

py::object awaiting::wrap_in_future() const {
    if (!can_be_awaited(object_.handle().ptr())) {
        set_not_awaitable(object_.handle().ptr());
        throw py::error_already_set();
    }
    return steal_or_throw(call_python([&] {
        return PyObject_CallOneArg(get_imports().ensure_future.ptr(), object_.handle().ptr());
    }));
}

void awaiting::tell_when_done() noexcept {
    const auto callback = new_done_callback(body_);
    const auto added = py::reinterpret_steal<py::object>(
        callback
            ? PyObject_CallMethodOneArg(task_.handle().ptr(),
                                        get_imports().name.add_done_callback.ptr(), callback.ptr())
            : nullptr);
    if (!added && settle(nullptr))
        resume_later();
}

void awaiting::on_last_step(PyObject* value) noexcept {
    const py::error_scope keep_set_error; // the Task's
    if (value == nullptr || !task_keeps_value())
        return tell_when_done();
    if (settle(value))
        resume_later();
}

// Not one that was cancelled in its last step, which ends so all the same.
bool awaiting::task_keeps_value() const noexcept {
    const auto cancelled = py::reinterpret_steal<py::object>(
        PyObject_GetAttr(task_.handle().ptr(), get_imports().name.must_cancel.ptr()));
    PyErr_Clear();
    return cancelled.ptr() == Py_False;
}

void awaiting::on_done(PyObject* task) noexcept {
    const auto value = py::reinterpret_steal<py::object>(
        PyObject_CallMethodNoArgs(task, get_imports().name.result.ptr()));
    if (settle(value.ptr()))
        resume_later();
}

void awaiting::on_body_gone() noexcept {
    body_ = nullptr;
    fail(errc::loop_closed);
}

// The loop is closed with the task unfinished, and nobody would tell.
void awaiting::abandon(in_flight_member* self, errc why) noexcept {
    const py::error_scope keep_set_error;
    auto* owner = static_cast<member*>(self)->owner;
    std::exchange(owner->body_, nullptr)->owner = nullptr;
    auto* task = owner->task_.release();
    if (why != errc::interpreter_gone) { // else left where it is: to drop it would run Python code
        if (task != owner->object_.handle().ptr())
            silence_task(task);
        Py_DECREF(task);
        release_unstarted(owner->object_.release()); // the task may not have taken its first step
    } else {
        owner->object_.release();
    }
    owner->fail(why);
}

// A Task of the user's own speaks for itself.
void awaiting::silence(const in_flight_member* self) noexcept {
    const py::error_scope keep_set_error;
    const auto* owner = static_cast<const member*>(self)->owner;
    const auto task = owner->task_.handle();
    if (!task.is(owner->object_.handle()))
        silence_task(task.ptr());
    if (owner->body_ != nullptr)
        silence_body(owner->body_);
}

int awaiting::traverse(const in_flight_member* self, visitproc visit, void* arg) noexcept {
    const auto* owner = static_cast<const member*>(self)->owner;
    Py_VISIT(owner->task_.handle().ptr());
    return owner->traverse_object(visit, arg);
}

int awaiting::traverse_object(visitproc visit, void* arg) const noexcept {
    Py_VISIT(object_.handle().ptr());
    return 0;
}

void throw_conversion_error(py::handle value, const std::string& wanted) {
    throw python_error(py::reinterpret_borrow<py::object>(PyExc_TypeError)(
        "to_cpp: the awaited result is a '" + std::string(Py_TYPE(value.ptr())->tp_name) +
        "', which does not convert to C++ type '" + wanted +
        "'; ask for bridge::py_ref to take it as it is"));
}

} // namespace bridge::detail
