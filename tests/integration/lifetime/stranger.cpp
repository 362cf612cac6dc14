// SPDX-License-Identifier: Apache-2.0
// Leaves in the interpreter what a module built with another version of the library leaves there.
#include "free_threaded.hpp"

namespace py = pybind11;

BRIDGE_PYTHON_MODULE(lifetime_stranger, module) {
    module.def("leave_mark", [] {
        auto shared =
            py::reinterpret_borrow<py::dict>(PyInterpreterState_GetDict(PyInterpreterState_Get()));
        py::dict table;
        table["bridge 0.0.9 (ABI 0)"] = py::none();
        shared["bridge.modules"] = table;
    });
}
