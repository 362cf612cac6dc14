// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/harness.hpp>

namespace asio = boost::asio;
namespace py = pybind11;

BRIDGE_TEST(python_answers) {
    auto sleep = bridge::with_gil(
        [] { return bridge::py_ref(py::module_::import("asyncio").attr("sleep")(0.01, 42)); });
    BRIDGE_CHECK(co_await bridge::to_cpp<int>(std::move(sleep)) == 42);
}
