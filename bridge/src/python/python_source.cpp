// SPDX-License-Identifier: Apache-2.0
#include "python/python_source.hpp"

namespace bridge::detail {

py::dict run_embedded(const char* module_name, const char* file, const char* text, py::dict given) {
    given["__name__"] = module_name;
    given["__builtins__"] = py::module_::import("builtins");
    const auto code =
        py::reinterpret_steal<py::object>(Py_CompileString(text, file, Py_file_input));
    if (!code)
        throw py::error_already_set();
    const auto done =
        py::reinterpret_steal<py::object>(PyEval_EvalCode(code.ptr(), given.ptr(), given.ptr()));
    if (!done)
        throw py::error_already_set();
    return given;
}

} // namespace bridge::detail
