// SPDX-License-Identifier: Apache-2.0
// The native part of the Python package bridge_asyncio.
#include <bridge/event_loop.hpp>
#include <bridge/run.hpp>

namespace py = pybind11;

PYBIND11_MODULE(_native, module) {
    module.attr("EventLoop") = bridge::event_loop_class();
    module.def(
        "run",
        [](const py::object& main, bool debug) {
            return bridge::detail::run_in_new_loop(
                main, {.loop_factory = bridge::event_loop_class(), .debug = debug});
        },
        py::arg("main"), py::arg("debug"), "asyncio.run() of Pythons before 3.11.");
}
