// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/python_source.hpp>

#include <bridge/detail/steal_or_throw.hpp>

namespace bridge::detail {

py::dict run_embedded(const char* module_name, const char* file, const char* text, py::dict given) {
    given["__name__"] = module_name;
    given["__builtins__"] = py::module_::import("builtins");
    const auto code = steal_or_throw(Py_CompileString(text, file, Py_file_input));
    const auto done = steal_or_throw(PyEval_EvalCode(code.ptr(), given.ptr(), given.ptr()));
    return given;
}

} // namespace bridge::detail
