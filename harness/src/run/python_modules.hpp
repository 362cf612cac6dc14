// SPDX-License-Identifier: Apache-2.0
// The harness's part in Python, whose text is in this library. All of it requires the GIL.
#pragma once

#include <bridge/detail/python.hpp>

namespace bridge::harness {

/// The names of run_test.py, and the function of run_together.py.
py::dict load_run_test();

/// The function of python_text.py that runs a test written in Python.
py::object load_call_text();

/// The class of virtual_time.py. Throws python_error if the loop of ours does not exist here.
py::object load_virtual_time_loop();

} // namespace bridge::harness
