// SPDX-License-Identifier: Apache-2.0
// Differences between CPython versions that more than one file needs to know.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

/// Whether CPython ends a thread that takes the GIL when the interpreter has gone, wherever it is.
/// Since 3.14 the thread stays there for ever.
inline constexpr bool ends_threads_at_exit = PY_VERSION_HEX < 0x030E0000;

/// True when this thread holds the GIL of a live interpreter. Not PyGILState_Check(), which answers
/// yes after finalization and wherever a sub-interpreter was made.
inline bool holds_gil() noexcept {
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked() != nullptr;
#else
    const auto* current = _PyThreadState_UncheckedGet();
#    if PY_VERSION_HEX >= 0x030C0000
    return current != nullptr;
#    else
    return current != nullptr && current == PyGILState_GetThisThreadState();
#    endif
#endif
}

/// True also in a sub-interpreter. For checks of misuse only.
inline bool holds_any_gil() noexcept {
#if PY_VERSION_HEX >= 0x030C0000
    return holds_gil();
#else
    const auto* current = _PyThreadState_UncheckedGet();
    return holds_gil() || (current != nullptr && current->thread_id == PyThread_get_thread_ident());
#endif
}

/// The error set in Python as one normalised exception object with its traceback, and clears it.
inline py::object take_set_exception() {
#if PY_VERSION_HEX >= 0x030C0000
    return py::reinterpret_steal<py::object>(PyErr_GetRaisedException());
#else
    PyObject* type = nullptr;
    PyObject* value = nullptr;
    PyObject* traceback = nullptr;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value != nullptr && traceback != nullptr)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return py::reinterpret_steal<py::object>(value);
#endif
}

/// Sets the exception object as the error, keeping the traceback it carries.
inline void set_exception(const py::object& exception) {
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(exception.inc_ref().ptr());
#else
    PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr()));
    Py_INCREF(type);
    PyErr_Restore(type, exception.inc_ref().ptr(), PyException_GetTraceback(exception.ptr()));
#endif
}

/// What a weak reference refers to; empty if that is gone.
inline py::object weak_target(PyObject* reference) noexcept {
#if PY_VERSION_HEX >= 0x030D0000
    PyObject* target = nullptr;
    if (PyWeakref_GetRef(reference, &target) < 0)
        PyErr_Clear();
    return py::reinterpret_steal<py::object>(target);
#else
    auto* const target = PyWeakref_GetObject(reference);
    return target != Py_None ? py::reinterpret_borrow<py::object>(target) : py::object();
#endif
}

/// First of all in a type's dealloc that has a finalizer: calls it, once. False if the object lives
/// on, or has been destroyed meanwhile: dealloc is to return.
inline bool finalize_before_dealloc(PyObject* object) noexcept {
#ifdef Py_GIL_DISABLED
    // PyObject_CallFinalizerFromDealloc() loses references that other threads take or give back
    // while it counts them.
    if (PyObject_GC_IsFinalized(object) != 0)
        return true;
    Py_SET_REFCNT(object, 1);
    PyObject_CallFinalizer(object);
    Py_DECREF(object); // comes back into dealloc, unless it lives on
    return false;
#else
    return PyObject_CallFinalizerFromDealloc(object) == 0;
#endif
}

#ifdef Py_GIL_DISABLED
/// Once, right after its making, of an object that try_new_reference() may be asked about.
inline void allow_new_references(PyObject* object) noexcept {
#    if PY_VERSION_HEX >= 0x030E0000
    PyUnstable_EnableTryIncRef(object);
#    else
    Py_ssize_t none = 0; // as for a weak reference; else the owner's count is not told
    __atomic_compare_exchange_n(&object->ob_ref_shared, &none, Py_ssize_t{1}, false,
                                __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
#    endif
}

/// Takes a reference unless the last one is gone. While the object's memory is there.
inline bool try_new_reference(PyObject* object) noexcept {
#    if PY_VERSION_HEX >= 0x030E0000
    return PyUnstable_TryIncRef(object) != 0;
#    else
    constexpr Py_ssize_t one = 4; // two bits below are flags
    constexpr Py_ssize_t merged = 3;
    if (__atomic_load_n(&object->ob_tid, __ATOMIC_RELAXED) == _Py_ThreadId()) {
        Py_INCREF(object);
        return true;
    }
    auto shared = __atomic_load_n(&object->ob_ref_shared, __ATOMIC_RELAXED);
    do
        if (shared == 0 || shared == merged)
            return false;
    while (!__atomic_compare_exchange_n(&object->ob_ref_shared, &shared, shared + one, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return true;
#    endif
}
#else
inline void allow_new_references(PyObject*) noexcept {}

inline bool try_new_reference(PyObject* object) noexcept {
    Py_INCREF(object);
    return true;
}
#endif

/// The context that this thread is in, borrowed; null in the empty one that nobody looked at yet.
inline PyObject* current_context() noexcept {
    return PyThreadState_Get()->context;
}

} // namespace bridge::detail
