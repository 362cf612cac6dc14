// SPDX-License-Identifier: Apache-2.0
// What a user binds, for type checkers to look at.
#include <bridge/bridge.hpp>

#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

struct account {
    asio::awaitable<int> balance() const { co_return 7; }
};

asio::awaitable<std::optional<std::string>> find(std::vector<std::string> in, std::string what) {
    for (auto& one : in)
        if (one == what)
            co_return one;
    co_return std::nullopt;
}

asio::awaitable<std::shared_ptr<account>> open_account(bool really) {
    co_return really ? std::make_shared<account>() : nullptr;
}

asio::awaitable<void> close_account(std::shared_ptr<account>) {
    co_return;
}

bridge::generator<int> count(int to) {
    for (int i = 0; i < to; ++i)
        co_yield i;
}

} // namespace

PYBIND11_MODULE(typed, module) {
    auto class_ = py::class_<account, std::shared_ptr<account>>(module, "Account").def(py::init());
    bridge::def_async(class_, "balance", &account::balance);
    bridge::def_async(module, "find", &find, py::arg("among"), py::arg("what") = "x",
                      "Looks for it.");
    bridge::def_async(module, "open", &open_account, py::arg("really"));
    bridge::def_async(module, "close", &close_account, py::arg("account"));
    bridge::def_async(module, "count", &count, py::arg("to"));
    module.def(
        "plain", [](int n) { return n; }, py::arg("n"));
}
