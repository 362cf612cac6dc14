// SPDX-License-Identifier: Apache-2.0
// A test's Python half: source text whose main() is awaited and whose asserts count.
#pragma once

#include <bridge/harness/harness.hpp>

#include <pybind11/eval.h>

#include <string>

namespace script {

/// `with raises(TypeError, "part of its text"):` fails unless the block raises that.
inline constexpr const char* raises = R"(
class raises:
    def __init__(self, kind, text=""):
        self.kind, self.text = kind, text

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        assert error is not None, f"nothing was raised, where {self.kind} was to be"
        if not isinstance(error, self.kind):
            return False
        assert self.text in str(error), error
        return True
)";

using bind_function = void (*)(bridge::py::object m);

/// The namespace of the text, with asyncio, raises and `m`, a module-like object for the C++ side's
/// names.
inline bridge::py::dict execute(const std::string& source, bind_function bind) {
    namespace py = bridge::py;
    py::dict scope;
    scope["__builtins__"] = py::module_::import("builtins");
    scope["asyncio"] = py::module_::import("asyncio");
    auto m = py::module_::import("types").attr("SimpleNamespace")();
    if (bind != nullptr)
        bind(m);
    scope["m"] = m;
    py::exec(raises, scope, scope);
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
