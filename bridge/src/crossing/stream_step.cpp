// SPDX-License-Identifier: Apache-2.0
// Running the pump: items, waiting, the end.
#include "crossing/stream_pump.hpp"

#include "crossing/generator_protocol.hpp"
#include "python/exit.hpp"
#include "python/imports.hpp"

#include <bridge/detail/awaiting.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/report.hpp>

#include <chrono>

namespace bridge::detail {
namespace {

using clock = std::chrono::steady_clock;

// One step of the Task goes on for so long before the loop has its turn.
constexpr int items_a_turn = 256;
constexpr auto turn_time = std::chrono::milliseconds(1);
// A consumer on another thread sees what came first after so long, though the step goes on.
constexpr auto flush_time = std::chrono::microseconds(100);
constexpr int items_between_looks = 16; // the clock costs as much as an item

class turn {
public:
    explicit turn(stream_state& of) : of_(of) {}

    // After an item: whether the loop is to have its turn now.
    bool is_over() {
        const bool is_awaited = of_.is_awaited_elsewhere();
        ++items_;
        if (!is_awaited && items_ % items_between_looks != 0)
            return false;
        const auto now = clock::now();
        if (is_awaited && now - flushed_ >= flush_time) {
            of_.flush();
            flushed_ = now;
        }
        return items_ >= items_a_turn || now - begun_ >= turn_time;
    }

private:
    stream_state& of_;
    int items_ = 0;
    clock::time_point begun_ = clock::now();
    clock::time_point flushed_ = begun_;
};

// The Task waits for the pump itself.
PySendResult yield_self(stream_pump* self, PyObject** result) {
    self->blocking = true;
    *result = Py_NewRef(as_object(self));
    return PYGEN_NEXT;
}

bool is_set(const py::object& type) {
    return PyErr_ExceptionMatches(type.ptr()) != 0;
}

bool ends_the_loop() {
    return PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0 ||
           PyErr_ExceptionMatches(PyExc_SystemExit) != 0;
}

// The error that is set ends the Task as well.
void raise_at_end(stream_pump* self) {
    const auto exception = take_set_exception();
    Py_XSETREF(self->raised, exception.inc_ref().ptr());
    set_exception(exception);
}

// __anext__() raised, or what it gave did.
void end_with_error(stream_pump* self) {
    auto& of = *self->of;
    self->now = pump_phase::ready;
    const bool is_cancelled = is_set(get_imports().cancelled_error);
    if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration) != 0) {
        PyErr_Clear();
        if (PyAsyncGen_CheckExact(self->iterator))
            self->is_open = false;
        return of.end(nullptr);
    }
    if (is_cancelled && self->step_asked) {
        PyErr_Clear();
        return of.end(nullptr);
    }
    if (ends_the_loop())
        self->is_open = false;
    if (is_cancelled || ends_the_loop())
        raise_at_end(self);
    if (!of.is_closing())
        return of.end(fetch_python_exception());
    of.end(nullptr);
    const auto failure = take_set_exception();
    Py_XSETREF(self->failure, failure.inc_ref().ptr());
}

// True where there is nothing to wait for.
bool step(stream_pump* self, PyObject* value, PyObject* thrown, PyObject** result) {
    PyObject* outcome_value = nullptr;
    const auto outcome = self->inner != nullptr ? step_iterator(self, value, thrown, &outcome_value)
                                                : PYGEN_ERROR; // the error of begin_step()
    switch (outcome) {
    case PYGEN_NEXT:
        *result = outcome_value;
        return false;
    case PYGEN_RETURN:
        take_item(self, outcome_value);
        break;
    case PYGEN_ERROR:
        end_with_error(self);
        break;
    }
    return true;
}

// What the whole pump ends with.
std::exception_ptr failure_of(stream_pump* self) {
    const auto failure = py::reinterpret_steal<py::object>(std::exchange(self->failure, nullptr));
    return failure ? std::make_exception_ptr(python_error(failure)) : nullptr;
}

void begin_cleaning(stream_pump* self) {
    self->of->end(nullptr);
    self->now = pump_phase::cleaning;
    if (std::exchange(self->is_open, false))
        begin_close(self);
}

// The iterator is closed, by an error that is set perhaps.
void end_cleaning(stream_pump* self) {
    std::exception_ptr error;
    if (PyErr_Occurred() != nullptr) {
        if (ends_the_loop())
            raise_at_end(self);
        const auto exception = take_set_exception();
        if (self->raised != nullptr) // the loop's end is near, and nobody may ask any more
            report_exception(port_of(self->of->locals()).loop(),
                             "closing an async iterator whose Task was cancelled has failed",
                             exception);
        else
            error = std::make_exception_ptr(python_error(exception));
    }
    finish_pump(self, error ? std::move(error) : failure_of(self));
}

// True where there is nothing to wait for. A clean-up is not cut short by cancelling the Task.
bool clean(stream_pump* self, PyObject* value, PyObject* thrown, PyObject** result) {
    if (self->inner == nullptr) {
        end_cleaning(self);
        return true;
    }
    if (thrown != nullptr &&
        PyErr_GivenExceptionMatches(thrown, get_imports().cancelled_error.ptr()) != 0)
        thrown = nullptr;
    PyObject* outcome_value = nullptr;
    if (step_iterator(self, value, thrown, &outcome_value) != PYGEN_NEXT) {
        Py_XDECREF(outcome_value);
        end_cleaning(self);
        return true;
    }
    const auto owned = py::reinterpret_steal<py::object>(outcome_value);
    try {
        if (wait_in_place(self, outcome_value)) {
            yield_self(self, result);
            return false;
        }
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("bridge: waiting for the clean-up of a stream");
    }
    *result = Py_NewRef(outcome_value); // the Task says what is wrong with it
    return false;
}

PySendResult give_end(stream_pump* self, PyObject** result) {
    stay_at_exit();
    const auto raised = py::reinterpret_steal<py::object>(std::exchange(self->raised, nullptr));
    if (raised) {
        set_exception(raised);
        return PYGEN_ERROR;
    }
    *result = Py_NewRef(Py_None);
    return PYGEN_RETURN;
}

// Goes on until there is something to wait for, or the end.
PySendResult advance(stream_pump* self, PyObject* value, PyObject* thrown, PyObject** result) {
    auto& of = *self->of;
    turn now(of);
    for (bool is_late = false;;) {
        switch (self->now) {
        case pump_phase::created:
            open_iterator(self);
            break;
        case pump_phase::paused:
        case pump_phase::ready:
            self->now = pump_phase::ready;
            if (of.is_closing() || of.has_ended()) {
                begin_cleaning(self);
            } else if (!of.has_room()) {
                of.flush();
                if (of.pause()) {
                    self->now = pump_phase::paused;
                    return yield_self(self, result);
                }
            } else if (is_late) {
                of.flush();
                *result = Py_NewRef(Py_None);
                return PYGEN_NEXT;
            } else {
                begin_step(self);
            }
            break;
        case pump_phase::stepping:
            if (!step(self, value, thrown, result)) {
                of.flush();
                return PYGEN_NEXT;
            }
            is_late = now.is_over();
            break;
        case pump_phase::cleaning:
            if (!clean(self, value, thrown, result))
                return PYGEN_NEXT;
            break;
        case pump_phase::finished:
            return give_end(self, result);
        }
        value = Py_None;
        thrown = nullptr;
    }
}

// The Task was cancelled between two items: as one that consumes the iterator itself.
void end_between_items(stream_pump* self, const py::object& exception) {
    Py_XSETREF(self->raised, exception.inc_ref().ptr());
    if (self->now == pump_phase::created) {
        self->now = pump_phase::ready;
        const auto* async = Py_TYPE(self->of->iterable().ptr())->tp_as_async;
        self->is_open = async != nullptr && async->am_anext != nullptr;
        self->iterator = Py_NewRef(self->of->iterable().ptr());
    }
    set_exception(exception);
    self->of->end(fetch_python_exception());
}

} // namespace

PySendResult pump_am_send(PyObject* object, PyObject* value, PyObject** result) {
    const auto alive = py::reinterpret_borrow<py::object>(object);
    const object_lock alone(object);
    *result = nullptr;
    return advance(as_pump(object), value, nullptr, result);
}

PyObject* pump_next(PyObject* self) {
    return pump_send(self, Py_None);
}

PyObject* pump_send(PyObject* self, PyObject* value) {
    PyObject* result = nullptr;
    const auto outcome = pump_am_send(self, value, &result);
    return as_generator(outcome, result);
}

PyObject* pump_throw(PyObject* object, PyObject* arguments) {
    const auto alive = py::reinterpret_borrow<py::object>(object);
    const auto exception = exception_from(arguments);
    if (!exception)
        return nullptr;
    auto* self = as_pump(object);
    const object_lock alone(object);
    PyObject* result = nullptr;
    if (self->now == pump_phase::finished) {
        set_exception(exception);
        return nullptr;
    }
    const bool between = self->now == pump_phase::created || self->now == pump_phase::ready ||
                         self->now == pump_phase::paused;
    if (between)
        end_between_items(self, exception);
    const auto outcome = advance(self, Py_None, between ? nullptr : exception.ptr(), &result);
    return as_generator(outcome, result);
}

// Its Task is gone, or somebody else got hold of it.
PyObject* pump_close(PyObject* object, PyObject*) {
    auto* self = as_pump(object);
    const object_lock alone(object);
    if (self->now != pump_phase::finished) {
        const auto error = std::make_exception_ptr(
            boost::system::system_error(make_error_code(errc::loop_closed)));
        self->of->end(error);
        finish_pump(self, error);
    }
    Py_RETURN_NONE;
}

} // namespace bridge::detail
