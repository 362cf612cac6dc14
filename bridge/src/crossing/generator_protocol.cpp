// SPDX-License-Identifier: Apache-2.0
#include "crossing/generator_protocol.hpp"

#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>

namespace bridge::detail {
namespace {

// A generator that types.coroutine has marked.
bool is_generator_coroutine(PyObject* object) {
    if (PyGen_CheckExact(object) == 0)
        return false;
    constexpr long marked = 0x100; // CO_ITERABLE_COROUTINE
    const auto code = py::reinterpret_borrow<py::object>(object).attr("gi_code");
    return (code.attr("co_flags").cast<long>() & marked) != 0;
}

// A coroutine, as its own iterator, unless somebody awaits it already.
PyObject* iterator_of_coroutine(PyObject* coroutine) {
    const auto awaited = py::reinterpret_steal<py::object>(
        PyObject_GetAttr(coroutine, get_imports().name.cr_await.ptr()));
    if (!awaited)
        return nullptr;
    if (awaited.is_none())
        return Py_NewRef(coroutine);
    PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
    return nullptr;
}

bool are_throwable(PyObject* type, PyObject* value, PyObject* traceback) {
    if (traceback != nullptr && PyTraceBack_Check(traceback) == 0)
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback object");
    else if (PyExceptionInstance_Check(type) && value != nullptr && value != Py_None)
        PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
    else if (!PyExceptionInstance_Check(type) && !PyExceptionClass_Check(type))
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from BaseException, not %s",
                     Py_TYPE(type)->tp_name);
    else
        return true;
    return false;
}

} // namespace

bool can_be_awaited(PyObject* object) {
    const auto* async = Py_TYPE(object)->tp_as_async;
    return (async != nullptr && async->am_await != nullptr) || is_generator_coroutine(object);
}

void set_not_awaitable(PyObject* object) noexcept {
    PyErr_Format(
        PyExc_TypeError,
        "to_cpp: a '%.100s' object cannot be awaited; pass a coroutine, a Task, a Future or "
        "an object with __await__",
        Py_TYPE(object)->tp_name);
}

PyObject* iterator_of(PyObject* awaitable) {
    if (PyCoro_CheckExact(awaitable))
        return iterator_of_coroutine(awaitable);
    const auto* async = Py_TYPE(awaitable)->tp_as_async;
    if (async != nullptr && async->am_await != nullptr) {
        auto* iterator = async->am_await(awaitable);
        if (iterator != nullptr && PyIter_Check(iterator) == 0) {
            PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'",
                         Py_TYPE(iterator)->tp_name);
            Py_CLEAR(iterator);
        }
        return iterator;
    }
    if (is_generator_coroutine(awaitable))
        return Py_NewRef(awaitable);
    set_not_awaitable(awaitable);
    return nullptr;
}

PyObject* call_throw(PyObject* inner, PyObject* exception, PySendResult& outcome) {
    outcome = PYGEN_ERROR;
    // No owner: if Python ends the thread in the call, nothing may be released (exit.hpp).
    auto* method = PyObject_GetAttr(inner, get_imports().name.throw_.ptr());
    if (method == nullptr) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError) != 0)
            set_exception(py::reinterpret_borrow<py::object>(exception));
        return nullptr;
    }
    auto* result = PyObject_CallOneArg(method, exception);
    Py_DECREF(method);
    if (result != nullptr) {
        outcome = PYGEN_NEXT;
        return result;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration) != 0) {
        const auto stop = take_set_exception();
        outcome = PYGEN_RETURN;
        return PyObject_GetAttrString(stop.ptr(), "value");
    }
    return nullptr;
}

py::object exception_from(PyObject* arguments) {
    PyObject* type = nullptr;
    PyObject* value = nullptr;
    PyObject* traceback = nullptr;
    if (PyArg_UnpackTuple(arguments, "throw", 1, 3, &type, &value, &traceback) == 0)
        return {};
#if PY_VERSION_HEX >= 0x030C0000
    if (value != nullptr &&
        PyErr_WarnEx(PyExc_DeprecationWarning,
                     "the (type, exc, tb) signature of throw() is deprecated, use the single-arg "
                     "signature instead.",
                     1) < 0)
        return {};
#endif
    if (traceback == Py_None)
        traceback = nullptr;
    if (!are_throwable(type, value, traceback))
        return {};
    if (PyExceptionInstance_Check(type)) {
        value = type;
        type = reinterpret_cast<PyObject*>(Py_TYPE(value));
    }
    Py_INCREF(type);
    Py_XINCREF(value);
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_DECREF(type);
    if (traceback != nullptr && PyException_SetTraceback(value, traceback) < 0)
        PyErr_Clear();
    return py::reinterpret_steal<py::object>(value);
}

PyObject* as_generator(PySendResult outcome, PyObject* result) {
    if (outcome != PYGEN_RETURN)
        return result;
    if (result == Py_None) {
        Py_DECREF(result);
        PyErr_SetNone(PyExc_StopIteration);
        return nullptr;
    }
    // A tuple or an exception would be taken for the arguments of StopIteration.
    auto* stop = PyObject_CallOneArg(PyExc_StopIteration, result);
    Py_DECREF(result);
    if (stop != nullptr)
        PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
    return nullptr;
}

} // namespace bridge::detail
