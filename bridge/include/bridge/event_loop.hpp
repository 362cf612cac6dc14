// SPDX-License-Identifier: Apache-2.0
// The same-thread host: asyncio's own event loop with an io_context inside its selector.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge {

/// A new asyncio event loop whose selector runs an io_context: C++ coroutines that it awaits run on
/// the loop's own thread, without the GIL, between the loop's callbacks. Everything else is
/// asyncio's SelectorEventLoop.
/// GIL: required.
/// Throws: python_error's NotImplementedError if the system has neither epoll nor kqueue.
py::object new_event_loop();

/// The class of these loops, to be given where a loop factory is wanted (run_options, asyncio.run).
/// GIL: required.
py::object event_loop_class();

} // namespace bridge
