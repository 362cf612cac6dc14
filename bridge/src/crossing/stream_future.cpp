// SPDX-License-Identifier: Apache-2.0
// The pump as the future that its own Task waits for, and what a Task asks of a coroutine.
#include "crossing/stream_pump.hpp"

#include "crossing/done_callback.hpp"
#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/report.hpp>

namespace bridge::detail {
namespace {

// add_done_callback(fn, *, context=None), as a Task calls it.
PyObject* stream_add_done_callback(PyObject* object, PyObject* args, PyObject* kwargs) {
    static const char* names[] = {"fn", "context", nullptr};
    PyObject* callback = nullptr;
    PyObject* context = Py_None;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "O|$O:add_done_callback",
                                    const_cast<char**>(names), &callback, &context) == 0)
        return nullptr;
    auto* self = as_pump(object);
    if (self->callback != nullptr) {
        PyErr_SetString(PyExc_RuntimeError, "the Task of a bridge stream is its own");
        return nullptr;
    }
    Py_XSETREF(self->callback, Py_NewRef(callback));
    Py_XSETREF(self->context, context != Py_None ? Py_NewRef(context) : PyContext_CopyCurrent());
    if (self->context == nullptr)
        return nullptr;
    Py_RETURN_NONE;
}

PyObject* stream_remove_done_callback(PyObject* object, PyObject* callback) {
    auto* self = as_pump(object);
    const int equal =
        self->callback == nullptr ? 0 : PyObject_RichCompareBool(self->callback, callback, Py_EQ);
    if (equal < 0)
        return nullptr;
    if (equal > 0) {
        Py_CLEAR(self->callback);
        Py_CLEAR(self->context);
    }
    return PyLong_FromLong(equal);
}

// The Task is cancelled while it waits for the pump. A clean-up is not cut short.
PyObject* stream_cancel(PyObject* object, PyObject*, PyObject*) {
    auto* self = as_pump(object);
    const bool wakes = [object, self] {
        const object_lock alone(object);
        return self->now == pump_phase::paused && !std::exchange(self->cancelled, true);
    }();
    if (wakes && !call_waiter(self, false))
        return nullptr;
    const object_lock alone(object);
    return PyBool_FromLong(self->now == pump_phase::paused || self->now == pump_phase::cleaning);
}

PyObject* stream_result(PyObject* object, PyObject*) {
    if (std::exchange(as_pump(object)->cancelled, false)) {
        PyErr_SetNone(get_imports().cancelled_error.ptr());
        return nullptr;
    }
    Py_RETURN_NONE;
}

PyObject* stream_done(PyObject*, PyObject*) {
    Py_RETURN_FALSE;
}

PyObject* stream_get_loop(PyObject* object, PyObject*) {
    const auto loop = port_of(as_pump(object)->of->locals()).find_loop();
    return loop ? Py_NewRef(loop.ptr()) : Py_NewRef(Py_None); // for whom it is another loop's
}

// None but for the moment when the Task looks, as of the other coroutines of the bridge.
PyObject* stream_get_blocking(PyObject* object, void*) {
    if (!as_pump(object)->blocking)
        Py_RETURN_NONE;
    Py_RETURN_TRUE;
}

int stream_set_blocking(PyObject* object, PyObject* value, void*) {
    as_pump(object)->blocking = value == Py_True;
    return 0;
}

PyObject* stream_get_name(PyObject*, void*) {
    return PyUnicode_FromString("bridge.stream");
}

PyObject* stream_get_await(PyObject* object, void*) {
    auto* inner = as_pump(object)->inner;
    return Py_NewRef(inner != nullptr ? inner : Py_None);
}

// Where it waits is where the generator does.
PyObject* stream_get_frame(PyObject* object, void*) {
    auto* iterator = as_pump(object)->iterator;
    auto* frame =
        iterator != nullptr ? PyObject_GetAttrString(iterator, "ag_frame") : Py_NewRef(Py_None);
    if (frame != nullptr)
        return frame;
    PyErr_Clear();
    Py_RETURN_NONE;
}

PyObject* stream_get_suspended(PyObject* object, void*) {
    const auto* self = as_pump(object);
    return PyBool_FromLong(self->now != pump_phase::created && self->now != pump_phase::finished &&
                           !self->inside);
}

PyObject* stream_get_running(PyObject* object, void*) {
    return PyBool_FromLong(as_pump(object)->inside);
}

PyObject* stream_get_none(PyObject*, void*) {
    Py_RETURN_NONE;
}

PyObject* on_inner_done(PyObject* object, PyObject*) {
    if (!call_waiter(as_pump(object), false))
        return nullptr;
    Py_RETURN_NONE;
}

PyMethodDef inner_done = {"bridge_cleaned", &on_inner_done, METH_O, nullptr};

} // namespace

PyMethodDef pump_methods[] = {
    {"send", pump_send, METH_O, nullptr},
    {"throw", pump_throw, METH_VARARGS, nullptr},
    {"close", pump_close, METH_NOARGS, nullptr},
    {"add_done_callback", keywords(one_at_a_time<&stream_add_done_callback>),
     METH_VARARGS | METH_KEYWORDS, nullptr},
    {"remove_done_callback", one_at_a_time<&stream_remove_done_callback>, METH_O, nullptr},
    {"cancel", keywords(stream_cancel), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"result", one_at_a_time<&stream_result>, METH_NOARGS, nullptr},
    {"done", stream_done, METH_NOARGS, nullptr},
    {"get_loop", stream_get_loop, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef pump_getset[] = {
    {"_asyncio_future_blocking", one_at_a_time<&stream_get_blocking>,
     one_at_a_time<&stream_set_blocking>, nullptr, nullptr},
    {"_cancel_message", stream_get_none, nullptr, nullptr, nullptr},
    {"__name__", stream_get_name, nullptr, nullptr, nullptr},
    {"__qualname__", stream_get_name, nullptr, nullptr, nullptr},
    {"cr_await", one_at_a_time<&stream_get_await>, nullptr, nullptr, nullptr},
    {"cr_frame", one_at_a_time<&stream_get_frame>, nullptr, nullptr, nullptr},
    {"cr_running", one_at_a_time<&stream_get_running>, nullptr, nullptr, nullptr},
    {"cr_suspended", one_at_a_time<&stream_get_suspended>, nullptr, nullptr, nullptr},
    {"cr_code", stream_get_none, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

bool call_waiter(stream_pump* self, bool directly) noexcept {
    const auto take = [self](PyObject*& member) {
        const object_lock alone(as_object(self));
        return py::reinterpret_steal<py::object>(std::exchange(member, nullptr));
    };
    const auto callback = take(self->callback);
    const auto context = take(self->context);
    if (!callback)
        return true;
    const auto& port = port_of(self->of->locals());
    const auto called =
        directly ? call_now(callback.ptr(), as_object(self), context.ptr()) : std::nullopt;
    const bool done = called ? *called
                             : !port.loop() || call_soon(port.loop(), callback.ptr(),
                                                         as_object(self), context.ptr());
    return done || report_set_error(port.loop(), "bridge: waking a stream failed");
}

bool wait_in_place(stream_pump* self, PyObject* future) {
    const auto& name = get_imports().name;
    const auto object = py::reinterpret_borrow<py::object>(future);
    const auto blocking = py::getattr(object, name.future_blocking, py::none());
    if (blocking.is_none() || !blocking.cast<bool>() ||
        !object.attr("get_loop")().is(port_of(self->of->locals()).find_loop()))
        return false;
    py::setattr(object, name.future_blocking, py::bool_(false));
    object.attr(name.add_done_callback)(
        py::reinterpret_steal<py::object>(PyCFunction_New(&inner_done, as_object(self))));
    return true;
}

} // namespace bridge::detail
