// SPDX-License-Identifier: Apache-2.0
// What those see who look at the awaitable: attributes and repr.
#include "crossing/coroutine.hpp"

#include "crossing/traceback.hpp"
#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>

#include <string>

namespace bridge::detail {
namespace {

// None but for the moment when the awaiting task looks: else ensure_future and gather take a
// coroutine for a Future that they need not start.
PyObject* get_blocking(PyObject* object, void*) {
    const auto* self = as_coroutine(object);
    if (!self->hot && !self->blocking)
        Py_RETURN_NONE;
    return PyBool_FromLong(self->blocking);
}

int set_blocking(PyObject* object, PyObject* value, void*) {
    const int truth = value != nullptr ? PyObject_IsTrue(value) : 0;
    if (truth < 0)
        return -1;
    as_coroutine(object)->blocking = truth != 0;
    return 0;
}

// Before 3.12 gather() reads it of what was cancelled, to tell it on.
PyObject* get_cancel_message(PyObject* object, void*) {
    auto* message = extras_of(as_coroutine(object)).cancel_message;
    return Py_NewRef(message != nullptr ? message : Py_None);
}

PyObject* get_qualified_name(PyObject* self, void*) {
    return Py_NewRef(as_coroutine(self)->name);
}

PyObject* get_name(PyObject* self, void*) {
    auto* name = as_coroutine(self)->name;
    const auto length = PyUnicode_GetLength(name);
    const auto dot = PyUnicode_FindChar(name, '.', 0, length, -1);
    return dot < -1 ? nullptr : PyUnicode_Substring(name, dot + 1, length);
}

// A coroutine to isinstance, too: inspect.iscoroutine asks so.
PyObject* get_class(PyObject* object, void*) {
    return Py_NewRef(as_coroutine(object)->hot ? reinterpret_cast<PyObject*>(Py_TYPE(object))
                                               : reinterpret_cast<PyObject*>(&PyCoro_Type));
}

// What it waits for, as a coroutine shows it.
PyObject* get_await(PyObject* object, void*) {
    auto* delegate = extras_of(as_coroutine(object)).delegate;
    return Py_NewRef(delegate != nullptr ? delegate : Py_None);
}

// What it awaits runs, and looks.
bool is_running(const coroutine_object* self) {
    return self->inside;
}

bool is_begun(const coroutine_object* self) {
    return self->now == phase::running || self->now == phase::delegating;
}

PyObject* get_running(PyObject* object, void*) {
    return PyBool_FromLong(is_running(as_coroutine(object)));
}

PyObject* get_suspended(PyObject* object, void*) {
    const auto* self = as_coroutine(object);
    return PyBool_FromLong(is_begun(self) && !is_running(self));
}

// As CPython 3.15 has it, and inspect.getcoroutinestate makes of the others.
PyObject* get_state(PyObject* object, void*) {
    const auto* self = as_coroutine(object);
    const char* state = is_running(self)              ? "CORO_RUNNING"
                        : self->now == phase::created ? "CORO_CREATED"
                        : self->now == phase::closed  ? "CORO_CLOSED"
                                                      : "CORO_SUSPENDED";
    return PyUnicode_InternFromString(state);
}

// Where a coroutine of the user's began to wait; without one, as in files that do not include our
// header, no more than the name.
code_place place_of(coroutine_object* self) {
    const auto place = self->op->suspended_at();
    if (place.file != nullptr && self->now != phase::created)
        return place;
    const char* name = PyUnicode_AsUTF8(self->name);
    if (name == nullptr)
        throw py::error_already_set();
    return {name, "<C++>", 0};
}

PyObject* get_frame(PyObject* object, void*) {
    auto* self = as_coroutine(object);
    if (self->now == phase::closed)
        Py_RETURN_NONE;
    try {
        return make_frame(place_of(self), self->now != phase::created).release().ptr();
    } catch (py::error_already_set& error) {
        error.restore();
        return nullptr;
    }
}

PyObject* get_code(PyObject* object, void*) {
    try {
        const auto frame = make_frame(place_of(as_coroutine(object)));
        return py::object(frame.attr("f_code")).release().ptr();
    } catch (py::error_already_set& error) {
        error.restore();
        return nullptr;
    }
}

PyObject* get_origin(PyObject* object, void*) {
    auto* origin = extras_of(as_coroutine(object)).origin;
    return Py_NewRef(origin != nullptr ? origin : Py_None);
}

// (file, line, function) of each frame, the innermost first.
py::object frames_from_here(int most) {
    py::list all;
    auto frame = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(PyEval_GetFrame()));
    while (frame && static_cast<int>(all.size()) < most) {
        auto* at = reinterpret_cast<PyFrameObject*>(frame.ptr());
        const auto code =
            py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(PyFrame_GetCode(at)));
        all.append(py::make_tuple(code.attr("co_filename"), PyFrame_GetLineNumber(at),
                                  code.attr("co_name")));
        frame = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(PyFrame_GetBack(at)));
    }
    return py::tuple(all);
}

std::string state_of(const coroutine_object* self) {
    const auto place = self->op->suspended_at();
    const bool is_at = place.file != nullptr;
    switch (self->now) {
    case phase::created:
        return "not begun";
    case phase::running:
    case phase::delegating:
        return is_running(self) ? "running"
               : is_at ? "waits in " + std::string(name_of(place)) + " at " + place.file + ":" +
                             std::to_string(place.line)
                       : "waits";
    case phase::settled:
        return self->failed ? "ended by an exception" : "ended";
    case phase::closed:
        break;
    }
    return "closed";
}

} // namespace

PyObject* coroutine_origin() noexcept {
    const int depth = PyThreadState_Get()->coroutine_origin_tracking_depth;
    if (depth <= 0)
        return nullptr;
    try {
        return frames_from_here(depth).release().ptr();
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("bridge: noting where a coroutine was made");
        return nullptr;
    }
}

PyObject* represent_coroutine(PyObject* object) {
    const auto* self = as_coroutine(object);
    return PyUnicode_FromFormat("<C++ %s %U at %p: %s>", self->hot ? "future" : "coroutine",
                                self->name, object, state_of(self).c_str());
}

PyGetSetDef coroutine_getset[] = {
    {"__class__", get_class, nullptr, nullptr, nullptr},
    {"_asyncio_future_blocking", one_at_a_time<&get_blocking>, one_at_a_time<&set_blocking>,
     nullptr, nullptr},
    {"_cancel_message", one_at_a_time<&get_cancel_message>, nullptr, nullptr, nullptr},
    {"__name__", get_name, nullptr, nullptr, nullptr},
    {"__qualname__", get_qualified_name, nullptr, nullptr, nullptr},
    {"cr_await", one_at_a_time<&get_await>, nullptr, nullptr, nullptr},
    {"cr_code", one_at_a_time<&get_code>, nullptr, nullptr, nullptr},
    {"cr_frame", one_at_a_time<&get_frame>, nullptr, nullptr, nullptr},
    {"cr_origin", one_at_a_time<&get_origin>, nullptr, nullptr, nullptr},
    {"cr_running", one_at_a_time<&get_running>, nullptr, nullptr, nullptr},
    {"cr_state", one_at_a_time<&get_state>, nullptr, nullptr, nullptr},
    {"cr_suspended", one_at_a_time<&get_suspended>, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

} // namespace bridge::detail
