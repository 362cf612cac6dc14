// SPDX-License-Identifier: Apache-2.0
// How a step of the async generator begins: what its state refuses, and what the round is told.
#pragma once

#include "crossing/generator_object.hpp"

namespace bridge::detail {

enum class begun {
    goes_on, ///< its round may run
    over,    ///< it gives None at once
    failed,  ///< the error is set
};

/// Of several threads that begin a step at once one claims the generator.
begun begin_step(generator_step* self);

/// What a round has given belongs to the generator until a step has taken it: it stays in the
/// round.
bool has_untaken(const generator_object* of) noexcept;

/// The step is over, with that error set; without a text if that is null.
PySendResult fail_step(generator_step* self, PyObject* type, const char* text) noexcept;

} // namespace bridge::detail
