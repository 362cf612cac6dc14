// SPDX-License-Identifier: Apache-2.0
// The async generator that Python sees, and the awaitables of its steps. Each step is a round of
// one coroutine object, which runs the crossing.
#pragma once

#include "crossing/coroutine.hpp"

#include <bridge/detail/generator_crossing.hpp>

#include <atomic>

namespace bridge::detail {

/// Only the loop thread, holding the GIL, touches it.
struct generator_object {
    PyObject_HEAD PyObject* weakrefs; ///< first, where its offset is known
    PyObject* round;                  ///< the coroutine object; closed between two rounds
    PyObject* finalizer;              ///< the loop's, from sys.get_asyncgen_hooks()
    PyObject* spare_step;             ///< memory of a step that is over, for the next one
    std::atomic<bool> hooked;         ///< the loop knows it
    std::atomic<bool> running; ///< claimed by a step, which alone touches the round until it ends
    bool closed;               ///< no further step begins
};

enum class step_kind : unsigned char {
    next,  ///< __anext__(), asend()
    raise, ///< athrow()
    close, ///< aclose()
};

enum class step_phase : unsigned char { created, running, over };

/// What __anext__(), asend(), athrow() and aclose() give.
struct generator_step {
    PyObject_HEAD generator_object* of; ///< owned
    PyObject* argument;                 ///< what is sent or thrown
    step_kind kind;
    step_phase now;
};

inline generator_object* as_generator_object(PyObject* object) noexcept {
    return reinterpret_cast<generator_object*>(object);
}

inline generator_step* as_step(PyObject* object) noexcept {
    return reinterpret_cast<generator_step*>(object);
}

inline generator_crossing& op_of(const generator_object* self) noexcept {
    return static_cast<generator_crossing&>(*as_coroutine(self->round)->op);
}

/// Frees what is left of a step.
void free_spare_step(generator_object* of) noexcept;

/// A step of that kind, the argument borrowed; null with the error set.
PyObject* new_step(generator_object* of, step_kind kind, PyObject* argument);

} // namespace bridge::detail
