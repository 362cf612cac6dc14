// SPDX-License-Identifier: Apache-2.0
// The same-thread host: asyncio's own event loop with an io_context inside its selector.
#pragma once

#include <bridge/detail/python.hpp>
#include <bridge/executor.hpp>
#include <bridge/task_locals.hpp>

namespace bridge {

/// A new asyncio event loop whose selector runs an io_context: C++ coroutines that it awaits run on
/// the loop's own thread, without the GIL, between the loop's callbacks. Everything else is
/// asyncio's SelectorEventLoop. Requires the GIL. Throws python_error's NotImplementedError where
/// the system has neither epoll nor kqueue.
py::object new_event_loop();

/// The class of these loops, to be given where a loop factory is wanted (run_options,
/// asyncio.run). Requires the GIL.
py::object event_loop_class();

/// An executor that runs handlers on the thread of a Python loop, whichever loop that is, one at a
/// time and without the GIL; they see the locals. I/O objects made on it belong to that loop's
/// io_context, or to the default runtime where the loop is a foreign one or has ended; making one
/// then throws runtime_stopped where the default runtime was ended by its own shutdown(). Where the
/// loop has ended, handlers are destroyed uncalled, and a crossing that waits for one fails with
/// loop_closed; in a forked child with forked. No GIL.
executor loop_executor(task_locals locals);

/// The same for a loop, with a copy of the calling thread's context. Requires the GIL. Throws
/// loop_closed.
executor loop_executor(const py::object& loop);

} // namespace bridge
