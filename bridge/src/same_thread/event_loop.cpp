// SPDX-License-Identifier: Apache-2.0
// The loop's class, written in Python, and the native object that its selector calls.
#include <bridge/event_loop.hpp>

#include "event_loop_source.hpp"
#include "python/imports.hpp"
#include "same_thread/loop_context.hpp"

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/python_source.hpp>
#include <bridge/detail/steal_or_throw.hpp>
#include <bridge/python_error.hpp>

#include <chrono>
#include <mutex>

namespace bridge {
namespace detail {
namespace {

struct context_object {
    PyObject_HEAD loop_context* context; ///< owned; null before __init__
};

loop_context* context_of(PyObject* self) noexcept {
    return reinterpret_cast<context_object*>(self)->context;
}

// C++ exceptions stop here.
template<class F>
PyObject* guarded(F&& f) noexcept {
    try {
        call_python(f);
        Py_RETURN_NONE;
    } catch (py::error_already_set& error) {
        error.restore();
    } catch (...) {
        set_exception(to_python_exception(std::current_exception()));
    }
    return nullptr;
}

PyObject* make(PyTypeObject* type, PyObject* args, PyObject*) {
    int descriptor = -1;
    if (PyArg_ParseTuple(args, "i:LoopContext", &descriptor) == 0)
        return nullptr;
    auto* self = type->tp_alloc(type, 0);
    if (self == nullptr)
        return nullptr;
    auto* done = guarded(
        [&] { reinterpret_cast<context_object*>(self)->context = new loop_context(descriptor); });
    if (done == nullptr)
        Py_CLEAR(self);
    Py_XDECREF(done);
    return self;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    return context_of(self) != nullptr ? context_of(self)->traverse(visit, arg) : 0;
}

int clear(PyObject* self) {
    if (context_of(self) != nullptr)
        context_of(self)->close();
    return 0;
}

void dealloc(PyObject* self) {
    PyObject_GC_UnTrack(self);
    if (auto* context = context_of(self)) {
        const py::error_scope keep_set_error;
        context->close();
        context->release();
    }
    auto* type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject* turn(PyObject* self, PyObject* timeout) noexcept {
    double seconds = -1;
    if (timeout != Py_None) {
        seconds = PyFloat_AsDouble(timeout);
        if (seconds == -1 && PyErr_Occurred() != nullptr)
            return nullptr;
        seconds = seconds > 0 ? seconds : 0;
    }
    const int ready = context_of(self)->turn(seconds);
    if (ready == 2)
        Py_RETURN_NONE;
    return ready < 0 ? nullptr : PyBool_FromLong(ready);
}

PyObject* run_share(PyObject* self, PyObject*) noexcept {
    if (!context_of(self)->run_share())
        return nullptr;
    Py_RETURN_NONE;
}

PyObject* attach(PyObject* self, PyObject* loop) noexcept {
    return guarded([&] { context_of(self)->attach(loop); });
}

PyObject* begin(PyObject* self, PyObject*) noexcept {
    return guarded([&] { context_of(self)->begin(); });
}

PyObject* end(PyObject* self, PyObject*) noexcept {
    return guarded([&] { context_of(self)->end(); });
}

PyObject* close(PyObject* self, PyObject*) noexcept {
    return guarded([&] { context_of(self)->close(); });
}

std::chrono::steady_clock::time_point time_of(long long nanoseconds) {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(nanoseconds));
}

long long nanoseconds_of(std::chrono::steady_clock::time_point time) {
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

PyObject* set_time(PyObject* self, PyObject* argument) noexcept {
    const auto nanoseconds = PyLong_AsLongLong(argument);
    if (nanoseconds == -1 && PyErr_Occurred() != nullptr)
        return nullptr;
    return guarded([&] { context_of(self)->set_time(time_of(nanoseconds)); });
}

PyObject* time_now(PyObject* self, PyObject*) noexcept {
    return PyLong_FromLongLong(nanoseconds_of(context_of(self)->time()));
}

PyObject* is_idle(PyObject* self, PyObject*) noexcept {
    return PyBool_FromLong(context_of(self)->is_idle());
}

PyObject* waits(PyObject* self, PyObject*) noexcept {
    const auto found = context_of(self)->find_waits();
    auto* const io = found.in_io ? Py_True : Py_False;
    auto* const threads = found.on_threads ? Py_True : Py_False;
    if (!found.first_timer)
        return Py_BuildValue("OOO", Py_None, io, threads);
    return Py_BuildValue("LOO", nanoseconds_of(*found.first_timer), io, threads);
}

PyObject* sleep(PyObject* self, PyObject* timeout) noexcept {
    const double seconds = timeout == Py_None ? -1 : PyFloat_AsDouble(timeout);
    if (seconds == -1 && PyErr_Occurred() != nullptr)
        return nullptr;
    context_of(self)->sleep(seconds);
    Py_RETURN_NONE;
}

PyMethodDef methods[] = {
    {"turn", turn, METH_O,
     "The inside of select(): whether the selector has to be asked; None after a fork."},
    {"run_share", run_share, METH_NOARGS, "Native work that is ready, between callbacks."},
    {"attach", attach, METH_O, "Names the loop whose selector this is."},
    {"begin", begin, METH_NOARGS, "The loop starts running on this thread."},
    {"end", end, METH_NOARGS, "The loop stops running."},
    {"close", close, METH_NOARGS, "Ends what is pending."},
    {"set_time", set_time, METH_O, "Virtual time, in nanoseconds, from the next run on."},
    {"time", time_now, METH_NOARGS, "What it is now, virtual or not, in nanoseconds."},
    {"is_idle", is_idle, METH_NOARGS, "Whether no native handler is ready, nor a descriptor."},
    {"waits", waits, METH_NOARGS,
     "The first native timer, whether I/O pends, whether functions run on threads."},
    {"sleep", sleep, METH_O, "Waits really, until something is ready; runs nothing."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(&make)},
    {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&clear)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

PyType_Spec spec = {"bridge.LoopContext", sizeof(context_object), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

py::object load_event_loop() {
    const auto type = steal_or_throw(PyType_FromSpec(&spec));
    py::dict given;
    given["native"] =
        py::module_::import("types").attr("SimpleNamespace")(py::arg("LoopContext") = type);
    return run_embedded("bridge_asyncio", "bridge/src/same_thread/event_loop.py", event_loop_source,
                        given)["EventLoop"];
}

} // namespace
} // namespace detail

py::object event_loop_class() {
    auto& all = detail::get_imports();
    const std::lock_guard lock(detail::shared().attach_mutex);
    auto& type = all.event_loop;
    if (!type)
        type = detail::load_event_loop();
    return type;
}

py::object new_event_loop() {
    return event_loop_class()();
}

} // namespace bridge
