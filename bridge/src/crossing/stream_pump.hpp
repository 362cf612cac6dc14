// SPDX-License-Identifier: Apache-2.0
// The coroutine that a Task of its own runs for a stream: it advances the async iterator, one step
// at a time, in one context, and closes it. The same object is the future that the Task waits for
// while nothing is wanted.
#pragma once

#include <bridge/detail/in_flight.hpp>
#include <bridge/detail/stream_state.hpp>

namespace bridge::detail {

enum class pump_phase : unsigned char {
    created,  ///< nothing of the iterable has run
    ready,    ///< between two items
    paused,   ///< the same, and nothing is wanted: the Task waits for the pump itself
    stepping, ///< `inner` is what __anext__() gave
    cleaning, ///< `inner` is what aclose() gave
    finished,
};

/// Only the loop thread, holding the GIL, touches it.
struct stream_pump {
    PyObject_HEAD PyObject* weakrefs; ///< first, where its offset is known
    stream_state* of;                 ///< owned
    PyObject* task;
    PyObject* iterator;
    PyObject* inner;
    PyObject* yielded;  ///< what `inner` waits for
    PyObject* callback; ///< the Task's, while that waits for the pump itself
    PyObject* context;  ///< to call it in
    PyObject* raised;   ///< ends the Task: a cancellation that was not ours, KeyboardInterrupt
    PyObject* failure;  ///< what a step that we asked to end raised instead
    PyObject* timer;    ///< the deadline of close()

    struct member : in_flight_member {
        stream_pump* owner;
    } membership;

    struct waiting : port_waiter {
        stream_pump* owner;
    } wake;

    pump_phase now;
    bool is_open;      ///< has an iterator, which is not closed
    bool blocking;     ///< _asyncio_future_blocking
    bool waking;       ///< queued to be woken
    bool cancelled;    ///< the Task was cancelled while it waited for the pump
    bool step_asked;   ///< the step was asked to end, by us
    bool cancel_inner; ///< throw CancelledError into `inner` at its next step, by us
    bool inside;       ///< Python code runs, in this call
};

inline stream_pump* as_pump(PyObject* object) noexcept {
    return reinterpret_cast<stream_pump*>(object);
}

inline PyObject* as_object(stream_pump* self) noexcept {
    return reinterpret_cast<PyObject*>(self);
}

// stream_pump.cpp: the object
/// Makes the pump and its Task, in the context of the stream's locals.
void start_pump(stream_state& of) noexcept;

/// The consumer wants more, or the end.
void poke_pump(stream_pump& self) noexcept;

/// Lets the Task go on at the end of this drain.
void wake_pump(stream_pump* self) noexcept;

/// The iterator is closed or given up, with the error that this raised; null where it raised none.
void finish_pump(stream_pump* self, std::exception_ptr error) noexcept;

/// Where the iterator waits: "ticks at app.py:12".
std::string place_of(const stream_pump* self);

// stream_step.cpp: running it
PySendResult pump_am_send(PyObject* self, PyObject* value, PyObject** result);
PyObject* pump_next(PyObject* self);
PyObject* pump_send(PyObject* self, PyObject* value);
PyObject* pump_throw(PyObject* self, PyObject* arguments);
PyObject* pump_close(PyObject* self, PyObject*);

// stream_iterator.cpp: what it does with the iterator
/// Gets it from the iterable; where it cannot, the stream ends.
void open_iterator(stream_pump* self);

/// Calls __anext__(); without `inner` after it an error is set.
void begin_step(stream_pump* self);

/// Hands the item, whose reference it takes, to the consumer; where that cannot be, the stream
/// ends.
void take_item(stream_pump* self, PyObject* item);

/// Calls aclose() where there is one; without `inner` after it there is nothing to wait for, or an
/// error is set.
void begin_close(stream_pump* self);

/// A step of `inner`, which is gone after its last one.
PySendResult step_iterator(stream_pump* self, PyObject* value, PyObject* thrown, PyObject** result);

/// Asks the step to end, as Task.cancel() does.
void cancel_step(stream_pump& self) noexcept;

// stream_future.cpp: what the Task waits for
extern PyMethodDef pump_methods[];
extern PyGetSetDef pump_getset[];

/// Calls what the Task has left, at once where `directly`, else in the loop's turn. False where a
/// Python error is set that has to end the loop's run.
bool call_waiter(stream_pump* self, bool directly) noexcept;

/// Waits for the future in place of the Task, so that cancelling that does not cancel it; false
/// where it has to be handed to the Task.
bool wait_in_place(stream_pump* self, PyObject* future);

} // namespace bridge::detail
