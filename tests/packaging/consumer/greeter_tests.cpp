// SPDX-License-Identifier: Apache-2.0
#include <bridge/bridge.hpp>
#include <bridge/harness/harness.hpp>

BRIDGE_TEST(it_greets) {
    auto greet = bridge::with_gil([] {
        return bridge::py_ref(pybind11::module_::import("greeter").attr("greet"));
    });
    BRIDGE_CHECK(co_await bridge::call<std::string>(std::move(greet), "you") == "hello, you");
}
