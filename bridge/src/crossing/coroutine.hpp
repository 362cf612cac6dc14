// SPDX-License-Identifier: Apache-2.0
// The awaitable that Python sees: a coroutine that speaks the Future protocol.
#pragma once

#include <bridge/detail/crossing.hpp>
#include <bridge/detail/python.hpp>
#include <bridge/detail/python_mutex.hpp>

namespace bridge::detail {

class awaiting;

enum class phase : unsigned char {
    created,    ///< nothing has run
    running,    ///< native code works, or announced itself and is not yet seen
    delegating, ///< native code awaits a Python object, which our awaiting task runs through us
    settled,    ///< result or exception is known
    closed,     ///< used up
};

/// What few of them need: a million that wait take that much less memory.
struct coroutine_extras {
    PyObject* callbacks = nullptr; ///< list of (callback, context), or null
    PyObject* cancel_message = nullptr;
    PyObject* thrown = nullptr;    ///< by throw() while native code ran; leaves when that has ended
    PyObject* delegate = nullptr;  ///< what is delegated to, being iterated
    PyObject* yielded = nullptr;   ///< what `delegate` waits for
    PyObject* origin = nullptr;    ///< where it was made: what cr_origin shows, or null
    awaiting* delegator = nullptr; ///< who awaits `delegate`
    slow_watch watch;
};

/// Only the loop thread, holding the GIL, touches it.
struct coroutine_object {
    PyObject_HEAD PyObject* weakrefs; ///< first, so that its offset is known
    crossing* op;                     ///< owned
    PyObject* callback;               ///< the first waiter and its context; further ones are extras
    PyObject* context;
    PyObject* outcome; ///< result or exception
    PyObject* name;
    coroutine_extras* extras; ///< owned; null while it needs none
    in_flight_member membership;
    port_waiter waiter;

    phase now;
    bool failed; ///< the outcome is an exception
    bool hot;
    bool blocking;         ///< _asyncio_future_blocking
    bool held;             ///< native code owns a reference, because somebody waits
    bool retrieved;        ///< somebody saw the exception
    bool cancels_delegate; ///< throw CancelledError into `delegate` at its next step
    bool inside;           ///< Python code that is delegated to runs, in this call
};

inline coroutine_object* as_coroutine(PyObject* object) noexcept {
    return reinterpret_cast<coroutine_object*>(object);
}

inline PyObject* as_object(coroutine_object* self) noexcept {
    return reinterpret_cast<PyObject*>(self);
}

inline constexpr coroutine_extras no_extras{};

inline const coroutine_extras& extras_of(const coroutine_object* self) noexcept {
    return self->extras != nullptr ? *self->extras : no_extras;
}

/// The same to be written to.
inline coroutine_extras& own_extras(coroutine_object* self) noexcept {
    if (self->extras == nullptr) // watch_of() has not the object's lock
        __atomic_store_n(&self->extras, new coroutine_extras, __ATOMIC_RELEASE);
    return *self->extras;
}

/// A new object for a crossing, whose reference it takes.
py::object new_coroutine(PyTypeObject* type, intrusive_ptr<crossing> op, py::handle name);

// coroutine_memory.cpp: where they live
/// As PyType_GenericAlloc.
PyObject* allocate_coroutine(PyTypeObject* type) noexcept;

/// As PyObject_GC_Del.
void free_coroutine(PyObject* object) noexcept;

/// Gives back what is kept for the next ones.
void free_spare_coroutines() noexcept;

// coroutine_step.cpp: running it
/// Starts the hot form; throws py::error_already_set if there is no loop.
void start_hot(coroutine_object* self);
PyObject* coroutine_send(PyObject* self, PyObject* value);
PyObject* coroutine_throw(PyObject* self, PyObject* arguments);
PyObject* coroutine_raise(PyObject* self, const py::object& exception); ///< throw(exception)
PyObject* coroutine_close(PyObject* self, PyObject*);
PyObject* coroutine_next(PyObject* self);
PySendResult coroutine_am_send(PyObject* self, PyObject* value, PyObject** result);

/// What the drain calls when native code has announced something.
void on_crossing_ready(coroutine_object& self) noexcept;

/// Asks native code to end, and warns if that takes long.
void ask_to_end(coroutine_object* self) noexcept;

/// Gives up waiting for native code, which is asked to end.
void detach(coroutine_object* self) noexcept;

// coroutine_delegate.cpp: what C++ awaits, run by the awaiting task
/// Begins with it; false if it is over at once, with the value or the error set.
bool begin_delegate(coroutine_object* self, awaiting* delegator, PyObject** value);

/// One step of it: sends the value, or throws the exception if there is one.
PySendResult step_delegate(coroutine_object* self, PyObject* value, PyObject* exception,
                           PyObject** result);

/// Its next step, or its first one if it has not begun.
PySendResult next_of_delegate(coroutine_object* self, PyObject* value, PyObject* thrown,
                              PyObject** result);

/// It ended, with the value (whose reference it takes) or the error set; true if its delegator may
/// be resumed here.
bool end_delegate(coroutine_object* self, PyObject* value, awaiting*& delegator);

/// Calls cancel(), with the message if there is one; null with the error set if it failed.
py::object call_cancel(PyObject* task, PyObject* message) noexcept;

/// The same for what is delegated to.
py::object cancel_delegate(coroutine_object& self, PyObject* message) noexcept;

/// Closes what is delegated to, as a coroutine's end closes what it awaits; null with the error
/// set.
py::object close_delegate(coroutine_object& self) noexcept;

// coroutine_future.cpp: the Future protocol
extern PyMethodDef future_methods[];
extern PyMethodDef coroutine_methods[];

/// False if it was begun for one loop and is awaited in another; true without a loop, by hand.
bool is_driven_by_own_loop(const coroutine_object* self);

/// Hands the object to whoever waits; at once if `directly`, else through call_soon.
bool wake_waiters(coroutine_object* self, bool directly) noexcept;

// coroutine_look.cpp: what those see who look at it
extern PyGetSetDef coroutine_getset[];
PyObject* represent_coroutine(PyObject* object);

/// Where the calling Python code stands, if sys.set_coroutine_origin_tracking_depth asks for it; or
/// null.
PyObject* coroutine_origin() noexcept;

// coroutine_result.cpp: what it ended with
/// Drops what it was delegated to.
void forget_delegate(coroutine_object* self) noexcept;

/// Drops what it has ended with.
void forget_result(coroutine_object* self) noexcept;

/// A closed one begins anew: its crossing goes on for one more result.
void restart(coroutine_object* self) noexcept;

/// The Python error for the current exception: there is no event loop, say.
void set_loop_error(const coroutine_object* self) noexcept;

/// Takes the result out of the finished crossing.
void settle(coroutine_object* self) noexcept;

/// The same without one: native work that cannot end, as it is not in this process.
void settle_as_cancelled(coroutine_object* self) noexcept;

/// Settled only.
bool is_cancelled(const coroutine_object* self);

/// The message of the cancel(msg) that asks for the end, or null.
py::object cancel_message_of(crossing& op) noexcept;

/// What is handled here becomes the context of an exception that has none, as by `raise`.
void set_handled_as_context(PyObject* exception);

/// The result as a new reference, or null with the exception set. Settled only.
PyObject* retrieve(coroutine_object* self);

} // namespace bridge::detail
