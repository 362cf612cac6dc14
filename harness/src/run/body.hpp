// SPDX-License-Identifier: Apache-2.0
// A test's body with its fixture around it.
#pragma once

#include <bridge/py_ref.hpp>

#include "record/running_test.hpp"

#include <boost/asio/awaitable.hpp>

namespace bridge::harness {

class await_points;

/// Runs all of it; never throws: what goes wrong is told to the run. `call_text` is the function of
/// run_test.py that runs a test written in Python. `points` learns where the body waits, if it is
/// not null. Not for bodies of the main thread.
boost::asio::awaitable<void> run_body(running_test& run, py_ref call_text, await_points* points);

/// Runs a part of a suite's fixture, `phase`, in whose failure `has_failed` becomes true; null:
/// nothing to do. Never throws.
boost::asio::awaitable<void> run_suite_part(running_test& run, const char* phase,
                                            boost::asio::awaitable<void> (*part)(),
                                            bool& has_failed);

/// Runs a body of the main thread. Requires the GIL. Throws py::error_already_set for
/// KeyboardInterrupt.
void run_on_main_thread(running_test& run);

} // namespace bridge::harness
