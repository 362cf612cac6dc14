// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/generator_crossing.hpp>

#include "crossing/traceback.hpp"
#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>

namespace bridge::detail {

void generator_crossing::start() {
    if (!std::exchange(begun_, true))
        return launch();
    begin_round();
    if (!thrown_ && has_item()) // since a round that ended as cancelled
        return finish();
    resume_from_yield();
}

void generator_crossing::resume_from_yield() {
    auto coroutine = std::move(*at_yield_);
    at_yield_.reset();
    coroutine.forget_cancellation();
    coroutine.resume();
}

void generator_crossing::operator()(suspended coroutine) noexcept {
    if (abandoned_) { // nobody takes it
        const auto ends = std::move(coroutine);
        return;
    }
    at_yield_.emplace(std::move(coroutine));
    finish();
}

// Without a request of anybody's, and without a CancelledError of Python's.
bool generator_crossing::ended_as_closed() const noexcept {
    if (!closing_ || cancel_requested())
        return false;
    try {
        std::rethrow_exception(error_);
    } catch (const python_cancelled&) {
        return false;
    } catch (const boost::system::system_error& error) {
        return error.code() == boost::asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

PyObject* generator_crossing::raise_end() noexcept {
    note_end();
    if (error_ && ended_as_closed()) {
        error_ = nullptr;
        error_trace_ = nullptr;
        PyErr_SetNone(PyExc_GeneratorExit);
        return nullptr;
    }
    if (!error_) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return nullptr;
    }
    const auto trace = std::move(error_trace_);
    const auto error = std::exchange(error_, nullptr);
    const auto exception = to_python_exception(error);
    const bool stops = PyErr_GivenExceptionMatches(exception.ptr(), PyExc_StopIteration) != 0;
    if (!stops && PyErr_GivenExceptionMatches(exception.ptr(), PyExc_StopAsyncIteration) == 0) {
        set_crossing_error(error, trace.get());
        return nullptr;
    }
    // PEP 479 and 525: it would end the loop that iterates instead of reaching it.
    PyErr_Format(PyExc_RuntimeError, "async generator raised %s",
                 stops ? "StopIteration" : "StopAsyncIteration");
    const auto replacement = take_set_exception();
    PyException_SetCause(replacement.ptr(), exception.inc_ref().ptr());
    PyException_SetContext(replacement.ptr(), exception.inc_ref().ptr());
    set_exception(replacement);
    return nullptr;
}

void generator_crossing::abandon() noexcept {
    retain();
    abandon_.owner = this;
    abandon_.run = &run_abandon;
    thrown_by_abandon_ = make_generator_exit();
    post(&abandon_);
}

void generator_crossing::run_abandon(strand_task* self, bool call) {
    const auto owner =
        intrusive_ptr<generator_crossing>::adopt(static_cast<abandon_task*>(self)->owner);
    if (owner->on().is_parents_copy())
        return; // the frame is the parent's
    owner->abandoned_ = true;
    if (!owner->at_yield_)
        return; // over, or on its way to a co_yield or the end
    owner->begin_round();
    if (!call) { // its threads have ended
        const auto coroutine = std::exchange(owner->at_yield_, std::nullopt);
        return;
    }
    owner->thrown_ = std::exchange(owner->thrown_by_abandon_, nullptr);
    owner->resume_from_yield();
}

std::exception_ptr make_generator_exit() {
    const auto exception =
        py::reinterpret_steal<py::object>(PyObject_CallNoArgs(PyExc_GeneratorExit));
    return std::make_exception_ptr(exception ? python_cancelled(python_error(exception))
                                             : python_cancelled(python_error::fetch()));
}

} // namespace bridge::detail
