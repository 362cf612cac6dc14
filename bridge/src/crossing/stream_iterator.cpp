// SPDX-License-Identifier: Apache-2.0
// What the pump does with the async iterator: its methods, and the steps of what these give.
#include "crossing/stream_pump.hpp"

#include "crossing/coroutine.hpp"
#include "crossing/generator_protocol.hpp"
#include "crossing/inside_scope.hpp"
#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/report.hpp>

namespace bridge::detail {
namespace {

PyObject* call_iter(PyObject* iterable) {
    const auto* async = Py_TYPE(iterable)->tp_as_async;
    if (async == nullptr || async->am_aiter == nullptr) {
        PyErr_Format(PyExc_TypeError,
                     "to_cpp_stream: a '%.100s' object cannot be iterated with `async for`: it has "
                     "no __aiter__(); pass an async generator or an object that has one",
                     Py_TYPE(iterable)->tp_name);
        return nullptr;
    }
    auto* iterator = call_python([&] { return async->am_aiter(iterable); });
    if (iterator == nullptr)
        return nullptr;
    const auto* its = Py_TYPE(iterator)->tp_as_async;
    if (its != nullptr && its->am_anext != nullptr)
        return iterator;
    PyErr_Format(PyExc_TypeError,
                 "to_cpp_stream: __aiter__() of a '%.100s' object gave a '%.100s', which is not an "
                 "async iterator: it has no __anext__()",
                 Py_TYPE(iterable)->tp_name, Py_TYPE(iterator)->tp_name);
    Py_DECREF(iterator);
    return nullptr;
}

// The iterator of what a method of the async iterator gave; null with the error set.
PyObject* begin_await(stream_pump* self, PyObject* awaitable, const char* method) {
    if (awaitable == nullptr)
        return nullptr;
    PyObject* inner = nullptr;
    if (can_be_awaited(awaitable))
        inner = call_python([&] { return iterator_of(awaitable); });
    else
        PyErr_Format(PyExc_TypeError,
                     "to_cpp_stream: %s() of a '%.100s' object gave a '%.100s', which cannot be "
                     "awaited",
                     method, Py_TYPE(self->iterator)->tp_name, Py_TYPE(awaitable)->tp_name);
    Py_DECREF(awaitable);
    return inner;
}

} // namespace

void open_iterator(stream_pump* self) {
    auto& of = *self->of;
    self->now = pump_phase::ready;
    const inside_scope inside(self->inside);
    const auto iterable = py::reinterpret_borrow<py::object>(of.iterable());
    self->iterator = of.is_closing() ? Py_NewRef(iterable.ptr()) : call_iter(iterable.ptr());
    self->is_open = self->iterator != nullptr;
    if (!self->is_open)
        of.end(fetch_python_exception());
}

PySendResult step_iterator(stream_pump* self, PyObject* value, PyObject* thrown,
                           PyObject** result) {
    const inside_scope inside(self->inside);
    const auto cancelled = std::exchange(self->cancel_inner, false) && thrown == nullptr
                               ? get_imports().cancelled_error()
                               : py::object();
    if (cancelled)
        thrown = cancelled.ptr();
    PySendResult outcome = PYGEN_ERROR;
    if (thrown != nullptr)
        *result = call_python([&] { return call_throw(self->inner, thrown, outcome); });
    else
        outcome = call_python([&] { return PyIter_Send(self->inner, value, result); });
    if (outcome == PYGEN_NEXT) {
        Py_XSETREF(self->yielded, Py_NewRef(*result));
    } else {
        Py_CLEAR(self->inner);
        Py_CLEAR(self->yielded);
    }
    return outcome;
}

void begin_step(stream_pump* self) {
    const inside_scope inside(self->inside);
    auto* iterator = self->iterator;
    auto* awaitable =
        call_python([&] { return Py_TYPE(iterator)->tp_as_async->am_anext(iterator); });
    self->inner = begin_await(self, awaitable, "__anext__");
    self->step_asked = false;
    self->now = pump_phase::stepping;
}

void take_item(stream_pump* self, PyObject* item) {
    auto& of = *self->of;
    self->now = pump_phase::ready;
    const auto owned = py::reinterpret_steal<py::object>(item);
    if (of.is_closing())
        return; // nobody will ask for it
    const inside_scope inside(self->inside);
    try {
        of.put(item);
    } catch (py::error_already_set& error) {
        of.end(std::make_exception_ptr(python_error(error)));
    } catch (...) {
        of.end(std::current_exception());
    }
}

void begin_close(stream_pump* self) {
    const inside_scope inside(self->inside);
    auto* method = PyObject_GetAttrString(self->iterator, "aclose");
    if (method == nullptr && PyErr_ExceptionMatches(PyExc_AttributeError) != 0)
        return PyErr_Clear();
    auto* awaitable =
        method != nullptr ? call_python([&] { return PyObject_CallNoArgs(method); }) : nullptr;
    Py_XDECREF(method);
    self->inner = begin_await(self, awaitable, "aclose");
}

void cancel_step(stream_pump& self) noexcept {
    if (std::exchange(self.step_asked, true))
        return;
    auto* const method = get_imports().name.cancel.ptr();
    if (self.yielded == nullptr || PyObject_HasAttr(self.yielded, method) == 0) {
        self.cancel_inner = true;
        return;
    }
    const auto cancelled = call_cancel(self.yielded, nullptr);
    if (!cancelled)
        report_set_error(port_of(self.of->locals()).loop(),
                         "bridge: cancelling an async iterator's step failed");
    self.cancel_inner = cancelled.ptr() != Py_True; // it is done already: then at the next step
}

} // namespace bridge::detail
