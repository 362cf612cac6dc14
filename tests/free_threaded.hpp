// SPDX-License-Identifier: Apache-2.0
// Modules of tests that leave the GIL off where Python has none.
#pragma once

#include <pybind11/pybind11.h>

#ifdef Py_GIL_DISABLED // there pybind11 is new enough to be told
#    define BRIDGE_PYTHON_MODULE(name, variable)                                                   \
        PYBIND11_MODULE(name, variable, pybind11::mod_gil_not_used())
#    define BRIDGE_EMBEDDED_MODULE(name, variable)                                                 \
        PYBIND11_EMBEDDED_MODULE(name, variable, pybind11::mod_gil_not_used())
#else
#    define BRIDGE_PYTHON_MODULE PYBIND11_MODULE
#    define BRIDGE_EMBEDDED_MODULE PYBIND11_EMBEDDED_MODULE
#endif
