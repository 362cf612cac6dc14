// SPDX-License-Identifier: Apache-2.0
#include <bridge/main.hpp>

#include <bridge/python_error.hpp>

#include <cstdio>
#include <exception>

namespace bridge::detail {
namespace {

constexpr int interrupted_exit = 130; // 128 + SIGINT, as a shell reports python's end

// Prints as Python does at the end of a script, and gives its exit code.
int report(const std::exception_ptr& error) {
    const auto exception = to_python_exception(error);
    if (PyErr_GivenExceptionMatches(exception.ptr(), PyExc_SystemExit) != 0) {
        const auto code = exception.attr("code");
        if (code.is_none())
            return 0;
        if (py::isinstance<py::int_>(code))
            return code.cast<int>();
        py::print(code, py::arg("file") = py::module_::import("sys").attr("stderr"));
        return 1;
    }
    py::module_::import("traceback")
        .attr("print_exception")(py::type::of(exception), exception,
                                 exception.attr("__traceback__"));
    return PyErr_GivenExceptionMatches(exception.ptr(), PyExc_KeyboardInterrupt) != 0
               ? interrupted_exit
               : 1;
}

int run_body(main_body* body, run_options (*options)()) {
    try {
        run(body(), options());
        return 0;
    } catch (...) {
        return report(std::current_exception());
    }
}

} // namespace

int run_main(int argc, char** argv, main_body* body, run_options (*options)()) {
    try {
        const interpreter python(argc, argv);
        return run_body(body, options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

} // namespace bridge::detail
