// SPDX-License-Identifier: Apache-2.0
// Every Python object that the library calls, looked up once per interpreter and shared by all
// modules of one build (shared.hpp).
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::detail {

class port;

/// Borrowed for the life of the interpreter: never destroyed, so that nothing runs at its end.
struct imports {
    py::object get_running_loop;   ///< asyncio._get_running_loop: None if there is none
    py::object current_task;       ///< asyncio.current_task
    py::object ensure_future;      ///< asyncio.ensure_future
    py::object cancelled_error;    ///< asyncio.CancelledError
    py::object invalid_state;      ///< asyncio.InvalidStateError
    py::object native_error;       ///< bridge_asyncio.NativeError
    py::object is_coroutine_mark;  ///< what asyncio.iscoroutinefunction looks for
    py::object coroutine_abc;      ///< collections.abc.Coroutine
    py::object generator_abc;      ///< collections.abc.AsyncGenerator
    py::object get_asyncgen_hooks; ///< sys.get_asyncgen_hooks
    py::object run_module;         ///< the names of run.py, once they were needed
    py::object event_loop;         ///< class EventLoop of event_loop.py, once it was needed
    PyTypeObject* coroutine_type;  ///< what to_python returns
    PyTypeObject* future_type;     ///< what to_python_future returns
    PyTypeObject* function_type;   ///< what def_async makes
    PyTypeObject* generator_type;  ///< what to_python makes of a generator
    PyTypeObject* step_type;       ///< what its __anext__() and the like give
    PyTypeObject* stream_type;     ///< the coroutine behind to_cpp_stream
    PyTypeObject* task_body_type;  ///< what a Task runs that C++ awaits
    PyTypeObject* port_type;       ///< what a foreign loop holds of its port
    py::dict ports;                ///< weakref of a loop -> capsule of its port
    py::dict descriptors;          ///< weakref of a foreign loop -> capsule of what wakes it

    struct {
        PyObject* loop = nullptr;
        port* its_port = nullptr;
    } last_port; ///< most programs have one loop

    struct {
        PyObject* first = nullptr; ///< each names the next one as its outcome
        unsigned count = 0;
    } spares; ///< memory of coroutine objects that are gone, for the next ones

    struct names {
        py::object add_reader, debug, stopping, call_soon, call_soon_threadsafe,
            call_exception_handler, ready, create_task, cancel, done, cancelled, exception, result,
            add_done_callback, future_blocking, must_cancel, send, throw_, close, cr_await;
    } name;

    py::object coroutine_name;  ///< of a coroutine made without a name
    py::object generator_name;  ///< of a generator made without one
    py::object context_keyword; ///< ("context",)
};

/// The imports of this interpreter, made at the first call. Requires the GIL. Throws what Python
/// throws.
imports& get_imports();

/// Makes the types; in coroutine.cpp, coroutine_function.cpp, generator_object.cpp,
/// generator_step.cpp, stream_pump.cpp, task_body.cpp and port_reader.cpp.
PyTypeObject* make_coroutine_type();
PyTypeObject* make_future_type();
PyTypeObject* make_function_type();
PyTypeObject* make_generator_type();
PyTypeObject* make_step_type();
PyTypeObject* make_stream_type();
PyTypeObject* make_task_body_type();
PyTypeObject* make_port_type();

} // namespace bridge::detail
