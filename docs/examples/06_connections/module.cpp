// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

namespace py = pybind11;

PYBIND11_MODULE(connections, module) {
    auto class_ =
        py::class_<client, std::shared_ptr<client>>(module, "Client")
            .def(py::init<unsigned short, unsigned>(), py::arg("port"), py::arg("connections"));
    bridge::def_async(class_, "ask", &client::ask, py::arg("question"));
}
