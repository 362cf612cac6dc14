// SPDX-License-Identifier: Apache-2.0
// A test's Python half: source text whose main() is awaited and whose asserts count.
#pragma once

#include <bridge/harness/harness.hpp>

#include <pybind11/eval.h>

#include <string>

namespace script {

using bind_function = void (*)(bridge::py::object m);

/// The namespace of the text, with asyncio and `m`, a module-like object for the C++ side's names.
inline bridge::py::dict execute(const std::string& source, bind_function bind) {
    namespace py = bridge::py;
    py::dict scope;
    scope["__builtins__"] = py::module_::import("builtins");
    scope["asyncio"] = py::module_::import("asyncio");
    auto m = py::module_::import("types").attr("SimpleNamespace")();
    if (bind != nullptr)
        bind(m);
    scope["m"] = m;
    py::exec(source, scope, scope);
    return scope;
}

/// Runs the text and awaits its `async def main()`.
inline boost::asio::awaitable<void> run(std::string source, bind_function bind = nullptr) {
    auto main = bridge::with_gil([&] { return bridge::py_ref(execute(source, bind)["main"]()); });
    co_await bridge::to_cpp<void>(std::move(main));
}

/// Runs the text and gives what it calls `result`.
inline bridge::py_ref value(const std::string& source, const char* name = "result",
                            bind_function bind = nullptr) {
    return bridge::with_gil([&] { return bridge::py_ref(execute(source, bind)[name]); });
}

} // namespace script
