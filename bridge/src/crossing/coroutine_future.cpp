// SPDX-License-Identifier: Apache-2.0
// The Future protocol of the awaitable, as asyncio's C and Python code uses it.
#include "crossing/coroutine.hpp"

#include "crossing/done_callback.hpp"
#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/report.hpp>

#include <string>

namespace bridge::detail {
namespace {

bool is_settled(const coroutine_object* self) {
    return self->now == phase::settled || self->now == phase::closed;
}

py::object loop_of(coroutine_object* self) {
    try {
        const auto& locals = self->op->locals();
        return (locals ? locals : task_locals::with_running_loop()).event_loop();
    } catch (...) {
        set_loop_error(self);
        return {};
    }
}

bool call_in_next_turn(coroutine_object* self, PyObject* callback, PyObject* context) {
    const auto loop = loop_of(self);
    return loop && call_soon(loop, callback, as_object(self), context);
}

// As the loop says it of what call_soon was given.
bool report_failed_callback(coroutine_object* self, PyObject* callback) {
    const auto loop = port_of(self->op->locals()).loop();
    const auto message = [callback] {
        const py::error_scope keep_set_error;
        const auto text = py::reinterpret_steal<py::object>(PyObject_Repr(callback));
        const char* utf8 = text ? PyUnicode_AsUTF8(text.ptr()) : nullptr;
        PyErr_Clear();
        return std::string("Exception in callback ") + (utf8 != nullptr ? utf8 : "");
    }();
    return report_set_error(loop, message.c_str());
}

bool wake_one(coroutine_object* self, PyObject* callback, PyObject* context, bool directly) {
    const auto called = directly ? call_now(callback, as_object(self), context) : std::nullopt;
    const bool done = called ? *called : call_in_next_turn(self, callback, context);
    return done || report_failed_callback(self, callback);
}

PyObject* done(PyObject* self, PyObject*) {
    return PyBool_FromLong(is_settled(as_coroutine(self)));
}

PyObject* cancelled(PyObject* self, PyObject*) {
    return PyBool_FromLong(is_settled(as_coroutine(self)) && is_cancelled(as_coroutine(self)));
}

bool check_settled(coroutine_object* self, const char* what) {
    if (is_settled(self) && self->outcome != nullptr)
        return true;
    PyErr_SetString(get_imports().invalid_state.ptr(), what);
    return false;
}

PyObject* result(PyObject* object, PyObject*) {
    auto* self = as_coroutine(object);
    // A lazy one is read by send(), which raises inside the frames that await it; the awaiting task
    // only looks here whether it may go on.
    if (self->now == phase::delegating || (!self->hot && is_settled(self)))
        Py_RETURN_NONE;
    if (!check_settled(self, "Result is not set."))
        return nullptr;
    return retrieve(self);
}

PyObject* exception(PyObject* object, PyObject*) {
    auto* self = as_coroutine(object);
    if (!check_settled(self, "Exception is not set."))
        return nullptr;
    self->retrieved = true;
    if (is_cancelled(self))
        return retrieve(self);
    return Py_NewRef(self->failed ? self->outcome : Py_None);
}

PyObject* make_cancelled_error(PyObject* object, PyObject*) {
    auto* self = as_coroutine(object);
    if (is_cancelled(self))
        return Py_NewRef(self->outcome);
    return PyObject_CallNoArgs(get_imports().cancelled_error.ptr());
}

PyObject* cancel(PyObject* object, PyObject* args, PyObject* kwargs) {
    static const char* names[] = {"msg", nullptr};
    PyObject* message = Py_None;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, "|O:cancel", const_cast<char**>(names),
                                    &message) == 0)
        return nullptr;
    auto* self = as_coroutine(object);
    if (is_settled(self))
        Py_RETURN_FALSE;
    // The first of several is the one that is heard.
    if (auto& extras = own_extras(self); extras.cancel_message == nullptr)
        extras.cancel_message = Py_NewRef(message);
    ask_to_end(self);
    Py_RETURN_TRUE;
}

PyObject* get_loop(PyObject* self, PyObject*) {
    return loop_of(as_coroutine(self)).release().ptr();
}

bool remember_waiter(coroutine_object* self, PyObject* callback, PyObject* context) {
    if (self->callback == nullptr) {
        self->callback = Py_NewRef(callback);
        self->context = Py_NewRef(context);
    } else {
        auto& callbacks = own_extras(self).callbacks;
        if (callbacks == nullptr && (callbacks = PyList_New(0)) == nullptr)
            return false;
        const auto pair = py::reinterpret_steal<py::object>(PyTuple_Pack(2, callback, context));
        if (!pair || PyList_Append(callbacks, pair.ptr()) < 0)
            return false;
    }
    // As long as somebody waits, native code keeps the object.
    if (!std::exchange(self->held, true))
        Py_INCREF(as_object(self));
    return true;
}

// add_done_callback(fn, *, context=None): by hand, as it is called for each suspension. True if
// the arguments are these.
bool read_callback(PyObject* const* args, Py_ssize_t count, PyObject* keywords,
                   PyObject** context) {
    const auto named = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
    *context = named == 1 ? args[count] : Py_None;
    if (count != 1)
        PyErr_Format(PyExc_TypeError,
                     "add_done_callback() takes exactly 1 positional argument (%zd given)", count);
    else if (named > 1 || (named == 1 && PyUnicode_CompareWithASCIIString(
                                             PyTuple_GET_ITEM(keywords, 0), "context") != 0))
        PyErr_SetString(PyExc_TypeError, "add_done_callback() takes no keyword but context");
    else
        return true;
    return false;
}

PyObject* add_done_callback(PyObject* object, PyObject* const* args, Py_ssize_t count,
                            PyObject* keywords) {
    PyObject* context = nullptr;
    if (!read_callback(args, count, keywords, &context))
        return nullptr;
    auto* callback = args[0];
    py::object current;
    if (context == Py_None) {
        current = py::reinterpret_steal<py::object>(PyContext_CopyCurrent());
        context = current.ptr();
    }
    auto* self = as_coroutine(object);
    if (context == nullptr || !(is_settled(self) ? call_in_next_turn(self, callback, context)
                                                 : remember_waiter(self, callback, context)))
        return nullptr;
    Py_RETURN_NONE;
}

// Equal callbacks among the further waiters, removed; how many.
Py_ssize_t remove_from_list(PyObject* list, PyObject* callback) {
    Py_ssize_t removed = 0;
    for (Py_ssize_t i = PyList_GET_SIZE(list); i-- > 0;) {
        const int equal = PyObject_RichCompareBool(PyTuple_GET_ITEM(PyList_GET_ITEM(list, i), 0),
                                                   callback, Py_EQ);
        if (equal < 0 || (equal > 0 && PyList_SetSlice(list, i, i + 1, nullptr) < 0))
            return -1;
        removed += equal;
    }
    return removed;
}

void promote_waiter(coroutine_object* self) {
    Py_CLEAR(self->callback);
    Py_CLEAR(self->context);
    auto* callbacks = extras_of(self).callbacks;
    if (callbacks == nullptr || PyList_GET_SIZE(callbacks) == 0)
        return;
    auto* pair = PyList_GET_ITEM(callbacks, 0);
    self->callback = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
    self->context = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
    PyList_SetSlice(callbacks, 0, 1, nullptr);
}

PyObject* remove_done_callback(PyObject* object, PyObject* callback) {
    auto* self = as_coroutine(object);
    auto* callbacks = extras_of(self).callbacks;
    Py_ssize_t removed = callbacks != nullptr ? remove_from_list(callbacks, callback) : 0;
    if (removed < 0)
        return nullptr;
    if (self->callback != nullptr) {
        const int equal = PyObject_RichCompareBool(self->callback, callback, Py_EQ);
        if (equal < 0)
            return nullptr;
        if (equal > 0) {
            promote_waiter(self);
            ++removed;
        }
    }
    // Nobody waits any more: the last reference ends native code again.
    if (self->callback == nullptr && std::exchange(self->held, false))
        Py_DECREF(object);
    return PyLong_FromSsize_t(removed);
}

PyCFunction fast(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*)) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

} // namespace

PyMethodDef future_methods[] = {
    {"done", one_at_a_time<&done>, METH_NOARGS, "Whether the result is known."},
    {"cancelled", one_at_a_time<&cancelled>, METH_NOARGS, "Whether it ended by cancellation."},
    {"result", one_at_a_time<&result>, METH_NOARGS, "The result, or raises the exception."},
    {"exception", one_at_a_time<&exception>, METH_NOARGS, "The exception, or None."},
    {"cancel", keywords(one_at_a_time<&cancel>), METH_VARARGS | METH_KEYWORDS,
     "Asks the C++ coroutine to stop; it settles once that has ended."},
    {"get_loop", one_at_a_time<&get_loop>, METH_NOARGS, "The event loop."},
    {"add_done_callback", fast(one_at_a_time<&add_done_callback>), METH_FASTCALL | METH_KEYWORDS,
     "Calls fn(self) in the loop once it has settled."},
    {"remove_done_callback", one_at_a_time<&remove_done_callback>, METH_O,
     "Removes all equal callbacks."},
    {"_make_cancelled_error", one_at_a_time<&make_cancelled_error>, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyMethodDef coroutine_methods[] = {
    {"send", one_at_a_time<&coroutine_send>, METH_O, "Resumes it, as a coroutine's send."},
    {"throw", one_at_a_time<&coroutine_throw>, METH_VARARGS,
     "Raises in it, as a coroutine's throw."},
    {"close", one_at_a_time<&coroutine_close>, METH_NOARGS,
     "Ends it; C++ is asked to stop and not waited for."},
    {"done", one_at_a_time<&done>, METH_NOARGS, nullptr},
    {"cancelled", one_at_a_time<&cancelled>, METH_NOARGS, nullptr},
    {"result", one_at_a_time<&result>, METH_NOARGS, nullptr},
    {"exception", one_at_a_time<&exception>, METH_NOARGS, nullptr},
    {"cancel", keywords(one_at_a_time<&cancel>), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"get_loop", one_at_a_time<&get_loop>, METH_NOARGS, nullptr},
    {"add_done_callback", fast(one_at_a_time<&add_done_callback>), METH_FASTCALL | METH_KEYWORDS,
     nullptr},
    {"remove_done_callback", one_at_a_time<&remove_done_callback>, METH_O, nullptr},
    {"_make_cancelled_error", one_at_a_time<&make_cancelled_error>, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

bool is_driven_by_own_loop(const coroutine_object* self) {
    const auto running = py::reinterpret_steal<py::object>(
        PyObject_CallNoArgs(get_imports().get_running_loop.ptr()));
    PyErr_Clear();
    return !running || running.is_none() || !self->op->locals() ||
           running.is(port_of(self->op->locals()).find_loop());
}

namespace {

struct waiters {
    py::object callback;
    py::object context;
    py::object others;
    py::object held; // the object, whom native code kept for them
};

waiters take_waiters(coroutine_object* self) noexcept {
    const auto take = [](PyObject*& member) {
        return py::reinterpret_steal<py::object>(std::exchange(member, nullptr));
    };
    const object_lock alone(as_object(self));
    return {take(self->callback), take(self->context),
            self->extras != nullptr ? take(self->extras->callbacks) : py::object(),
            py::reinterpret_steal<py::object>(std::exchange(self->held, false) ? as_object(self)
                                                                               : nullptr)};
}

} // namespace

// Not under the lock: who is woken comes back at once.
bool wake_waiters(coroutine_object* self, bool directly) noexcept {
    const auto [callback, context, others, held] = take_waiters(self);
    bool go_on = !callback || wake_one(self, callback.ptr(), context.ptr(), directly);
    for (Py_ssize_t i = 0; others && i < PyList_GET_SIZE(others.ptr()); ++i) {
        auto* pair = PyList_GET_ITEM(others.ptr(), i);
        // After an error that ends the run, the rest still has to hear, in the loop's next run.
        const py::error_scope keep_set_error;
        go_on = wake_one(self, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1),
                         directly && go_on) &&
                go_on;
    }
    return go_on;
}

} // namespace bridge::detail
