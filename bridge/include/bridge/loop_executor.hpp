// SPDX-License-Identifier: Apache-2.0
// Handlers on the thread of a Python loop, whichever loop that is.
#pragma once

#include <bridge/detail/python.hpp>
#include <bridge/executor.hpp>
#include <bridge/task_locals.hpp>

namespace bridge {

/// An executor that runs handlers on the thread of a Python loop, whichever loop that is, one at a
/// time and without the GIL; they see the locals. I/O objects made on it belong to that loop's
/// io_context, or to the default runtime if the loop is a foreign one or has ended; making one then
/// throws runtime_stopped if the default runtime was ended by its own shutdown(). If the loop has
/// ended, handlers are destroyed uncalled, and a crossing that waits for one fails with
/// loop_closed; in a forked child with forked.
/// GIL: not needed.
executor loop_executor(task_locals locals);

/// The same for a loop, with a copy of the calling thread's context.
/// GIL: required.
/// Throws: loop_closed.
executor loop_executor(const py::object& loop);

} // namespace bridge
