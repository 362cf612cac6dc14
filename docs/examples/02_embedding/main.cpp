// SPDX-License-Identifier: Apache-2.0
// A C++ program that awaits Python.
#include <bridge/bridge.hpp>

#include <cstdio>

namespace py = pybind11;

BRIDGE_MAIN() {
    auto sleep = bridge::with_gil([] {
        return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(0.01, "from asyncio"));
    });
    const auto said = co_await bridge::to_cpp<std::string>(std::move(sleep));
    std::printf("slept, with a word %s\n", said.c_str());
}
