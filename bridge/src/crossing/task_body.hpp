// SPDX-License-Identifier: Apache-2.0
// What the Task of an awaiting C++ coroutine runs, and calls when it is done.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

class awaiting;

/// Looks like the Python coroutine that it runs. Tells who awaits that of a value in the step that
/// gives it: a done callback would cost one more turn of the loop. Everything else the Task tells
/// by its done callback. If it is destroyed before, nobody will tell.
struct task_body {
    PyObject_HEAD awaiting* owner; ///< null before it may be told, and once it was
    PyObject* coroutine;           ///< null if the Task runs something else
    bool begun;                    ///< the coroutine has been run
    bool ended;                    ///< the coroutine has taken its last step
};

inline PyObject* as_object(task_body* self) noexcept {
    return reinterpret_cast<PyObject*>(self);
}

/// Without an owner yet. Throws what Python throws.
py::object new_task_body(PyObject* coroutine);

/// What the Task calls when it is done. An object of its own: a loop in debug mode refuses
/// callbacks that look like coroutines. Null with the Python error set.
py::object new_done_callback(task_body* body);

/// It may end before it is done, and Python does not say so. With the caller's error set put aside.
void silence_task(PyObject* task) noexcept;

/// The same of a coroutine that did not begin, which the body and its owner have.
void silence_body(const task_body* body) noexcept;

inline task_body* as_task_body(PyObject* object) noexcept {
    return reinterpret_cast<task_body*>(object);
}

} // namespace bridge::detail
