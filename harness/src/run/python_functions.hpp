// SPDX-License-Identifier: Apache-2.0
// What the harness's Python code calls, as objects that it is given.
#pragma once

#include "record/running_test.hpp"
#include "run/await_points.hpp"
#include "run/watchdog.hpp"

namespace bridge::harness {

class test_beside;

double seconds(watchdog::clock::duration time);

/// Records a failure of the run, by its kind.
py::object report_function(running_test& run);

py::object note_function(running_test& run);

/// What cancel_sweep.py asks for; None without points.
py::object sweep_functions(await_points* points);

/// What is asked of the process and of the run's native side.
py::object native_functions(const running_test& run, watchdog& guard);

/// The same where several tests run at once: what is theirs is not the group's.
py::object native_functions_of_group(const running_test& group, watchdog& guard);

/// What run_together.py needs of a test that has started beside others.
py::object functions_beside(test_beside& test, running_test& run, py::object ignored,
                            py::object make_body);

} // namespace bridge::harness
