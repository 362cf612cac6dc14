// SPDX-License-Identifier: Apache-2.0
// Life of the pump: making, waking, ending.
#include "crossing/stream_pump.hpp"
#include "crossing/task_body.hpp"

#include "python/imports.hpp"

#include <bridge/detail/context.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/report.hpp>

#include <boost/asio/error.hpp>

#include <structmember.h>

#include <string>

namespace bridge::detail {
namespace {

int pump_traverse(PyObject* object, visitproc visit, void* arg) {
    const auto* self = as_pump(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->task);
    Py_VISIT(self->iterator);
    Py_VISIT(self->inner);
    Py_VISIT(self->yielded);
    Py_VISIT(self->callback);
    Py_VISIT(self->context);
    Py_VISIT(self->raised);
    Py_VISIT(self->failure);
    Py_VISIT(self->timer);
    return 0;
}

int pump_clear(PyObject* object) {
    auto* self = as_pump(object);
    Py_CLEAR(self->task);
    Py_CLEAR(self->iterator);
    Py_CLEAR(self->inner);
    Py_CLEAR(self->yielded);
    Py_CLEAR(self->callback);
    Py_CLEAR(self->context);
    Py_CLEAR(self->raised);
    Py_CLEAR(self->failure);
    Py_CLEAR(self->timer);
    return 0;
}

void pump_dealloc(PyObject* object) {
    auto* self = as_pump(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != nullptr)
        PyObject_ClearWeakRefs(object);
    pump_clear(object);
    self->of->release();
    auto* type = Py_TYPE(object);
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

PyObject* pump_itself(PyObject* self) {
    return Py_NewRef(self);
}

PyMemberDef pump_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, sizeof(PyObject), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot pump_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&pump_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(&pump_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&pump_clear)},
    {Py_tp_iternext, reinterpret_cast<void*>(&pump_next)},
    {Py_am_await, reinterpret_cast<void*>(&pump_itself)},
    {Py_am_send, reinterpret_cast<void*>(&pump_am_send)},
    {Py_tp_iter, reinterpret_cast<void*>(&pump_itself)},
    {Py_tp_methods, pump_methods},
    {Py_tp_getset, pump_getset},
    {Py_tp_members, pump_members},
    {Py_tp_doc, const_cast<char*>("Advances an async iterator for C++.")},
    {0, nullptr},
};

PyType_Spec pump_spec = {
    "bridge.stream", sizeof(stream_pump), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, pump_slots};

void leave_all(stream_pump* self) {
    Py_INCREF(as_object(self));
    for (auto** one : {&self->task, &self->iterator, &self->inner, &self->yielded, &self->callback,
                       &self->context, &self->timer})
        *one = nullptr;
}

// Nothing will be heard of the loop any more.
void pump_abandon(in_flight_member* member, errc why) noexcept {
    auto* self = static_cast<stream_pump::member*>(member)->owner;
    if (self->inside)
        return; // who runs it is not at its end yet, or is a thread that stays where it is
    const auto alive = py::reinterpret_borrow<py::object>(as_object(self));
    const object_lock alone(as_object(self));
    const py::error_scope keep_set_error;
    if (why == errc::interpreter_gone) // what it holds is left where it is: to drop it runs Python
        leave_all(self);
    else if (self->task != nullptr)
        silence_task(self->task);
    const auto error = std::make_exception_ptr(boost::system::system_error(make_error_code(why)));
    self->of->end(error);
    finish_pump(self, error);
}

void pump_cancel(in_flight_member* member) noexcept {
    auto* self = static_cast<stream_pump::member*>(member)->owner;
    try {
        self->of->ask_to_close();
    } catch (const boost::system::system_error&) {
        return; // its end is near anyway
    }
}

std::string pump_describe(const in_flight_member* member) {
    return "stream, its async iterator waiting in " +
           place_of(static_cast<const stream_pump::member*>(member)->owner);
}

int pump_traverse_owned(const in_flight_member* member, visitproc visit, void* arg) noexcept {
    auto* self = static_cast<const stream_pump::member*>(member)->owner;
    if (self->of->pump() != self)
        return 0;
    Py_VISIT(as_object(self));
    Py_VISIT(self->of->iterable().ptr()); // which its end lets go of
    return 0;
}

void silence(const in_flight_member* member) noexcept {
    const py::error_scope keep_set_error;
    if (auto* task = static_cast<const stream_pump::member*>(member)->owner->task)
        silence_task(task);
}

constexpr in_flight_kind pump_kind{.abandon = &pump_abandon,
                                   .cancel = &pump_cancel,
                                   .describe = &pump_describe,
                                   .traverse = &pump_traverse_owned,
                                   .silence = &silence};

bool pump_wake(port_waiter* waiter, bool directly) noexcept {
    auto* self = static_cast<stream_pump::waiting*>(waiter)->owner;
    self->waking = false;
    const bool go_on = call_waiter(self, directly);
    Py_DECREF(as_object(self)); // the drain's own
    return go_on;
}

PyObject* on_deadline(PyObject* object, PyObject*) {
    auto* self = as_pump(object);
    if (self->now != pump_phase::finished)
        self->of->give_up_waiting(std::make_exception_ptr(boost::system::system_error(
            boost::asio::error::timed_out,
            "stream: closing the async iterator did not end by the deadline of close(); it goes "
            "on, and waits in " +
                place_of(self))));
    Py_RETURN_NONE;
}

PyMethodDef deadline_method = {"bridge_deadline", &on_deadline, METH_NOARGS, nullptr};

void cancel_timer(stream_pump* self) {
    const auto timer = py::reinterpret_steal<py::object>(std::exchange(self->timer, nullptr));
    if (timer && !py::reinterpret_steal<py::object>(
                     PyObject_CallMethodNoArgs(timer.ptr(), get_imports().name.cancel.ptr())))
        PyErr_WriteUnraisable(timer.ptr());
}

void set_deadline(stream_pump* self) {
    const auto deadline = self->of->take_deadline();
    if (!deadline)
        return;
    cancel_timer(self);
    const auto callback =
        py::reinterpret_steal<py::object>(PyCFunction_New(&deadline_method, as_object(self)));
    const double seconds = std::chrono::duration<double>(*deadline).count();
    self->timer =
        port_of(self->of->locals()).loop().attr("call_later")(seconds, callback).release().ptr();
}

py::object new_pump(stream_state& of) {
    auto* object = PyType_GenericAlloc(get_imports().stream_type, 0);
    if (object == nullptr)
        throw py::error_already_set();
    auto* self = as_pump(object);
    of.retain();
    self->of = &of;
    self->membership.owner = self;
    self->membership.kind = &pump_kind;
    self->wake.owner = self;
    self->wake.wake = &pump_wake;
    return py::reinterpret_steal<py::object>(object);
}

// Only what is an iterator already can be closed before it was begun.
bool has_something_to_close(py::handle iterable) {
    const auto* async = Py_TYPE(iterable.ptr())->tp_as_async;
    return async != nullptr && async->am_anext != nullptr;
}

void make_task(stream_state& of) {
    const auto object = new_pump(of);
    auto* self = as_pump(object.ptr());
    port_of(of.locals()).members().join(self->membership);
    of.set_pump(self);
    Py_INCREF(object.ptr()); // the stream's own
    const auto inside = enter(of.locals());
    // An eager one runs at once, and may be over when this returns.
    auto task = py::reinterpret_steal<py::object>(call_python([&] {
        return PyObject_CallMethodOneArg(of.locals().event_loop().ptr(),
                                         get_imports().name.create_task.ptr(), object.ptr());
    }));
    if (!task) {
        const auto error = fetch_python_exception();
        of.end(error);
        return finish_pump(self, nullptr);
    }
    if (self->now == pump_phase::finished)
        return;
    self->task = task.release().ptr();
    set_deadline(self);
}

void append_place(std::string& text, py::handle frame) {
    const py::object code = frame.attr("f_code");
    text = py::str("{} at {}:{}")
               .format(code.attr("co_name"), code.attr("co_filename"), frame.attr("f_lineno"));
}

// The first of these attributes that is there and not None.
py::object first_of(py::handle object, std::initializer_list<const char*> names) {
    for (const auto* name : names)
        if (auto value = py::getattr(object, name, py::none()); !value.is_none())
            return value;
    return py::none();
}

} // namespace

PyTypeObject* make_stream_type() {
    auto* type = PyType_FromSpec(&pump_spec);
    if (type == nullptr)
        throw py::error_already_set();
    return reinterpret_cast<PyTypeObject*>(type);
}

void start_pump(stream_state& of) noexcept {
    if (of.is_closing() && !has_something_to_close(of.iterable())) {
        of.end(nullptr);
        return of.close(nullptr);
    }
    try {
        make_task(of);
    } catch (py::error_already_set& error) {
        of.end(std::make_exception_ptr(python_error(error)));
        of.close(nullptr);
    }
}

void poke_pump(stream_pump& self) noexcept {
    const auto alive = py::reinterpret_borrow<py::object>(as_object(&self));
    const object_lock alone(as_object(&self));
    const bool closing = self.of->is_closing();
    if (closing) {
        try {
            set_deadline(&self);
        } catch (py::error_already_set& error) {
            error.discard_as_unraisable("bridge: setting the deadline of a stream's close()");
        }
    }
    if (self.now == pump_phase::paused)
        wake_pump(&self);
    else if (closing && self.now == pump_phase::stepping)
        cancel_step(self);
}

void wake_pump(stream_pump* self) noexcept {
    if (self->callback == nullptr || std::exchange(self->waking, true))
        return;
    Py_INCREF(as_object(self)); // until it is woken
    port_of(self->of->locals()).wake_after_drain(&self->wake);
}

void finish_pump(stream_pump* self, std::exception_ptr error) noexcept {
    const auto alive = py::reinterpret_borrow<py::object>(as_object(self));
    const py::error_scope keep_set_error;
    self->now = pump_phase::finished;
    in_flight::leave(self->membership);
    cancel_timer(self);
    Py_CLEAR(self->inner);
    Py_CLEAR(self->yielded);
    Py_CLEAR(self->iterator);
    Py_CLEAR(self->task);
    auto& of = *self->of;
    of.end(nullptr);
    const bool is_owned = of.pump() == self;
    of.set_pump(nullptr);
    of.close(std::move(error));
    if (is_owned)
        Py_DECREF(as_object(self));
}

std::string place_of(const stream_pump* self) {
    if (self->iterator == nullptr)
        return "its beginning";
    std::string text = py::repr(py::handle(self->iterator));
    auto at = py::reinterpret_borrow<py::object>(self->iterator);
    for (int depth = 0; depth < 100 && !at.is_none(); ++depth) {
        const auto frame = first_of(at, {"ag_frame", "cr_frame", "gi_frame"});
        if (!frame.is_none())
            append_place(text, frame);
        at = first_of(at, {"ag_await", "cr_await", "gi_yieldfrom"});
    }
    return text;
}

} // namespace bridge::detail
