// SPDX-License-Identifier: Apache-2.0
#include "crossing/traceback.hpp"

#include <bridge/detail/steal_or_throw.hpp>

#include <frameobject.h>

#include <string_view>

namespace bridge::detail {
namespace {

// A frame object that stands at the line, as traceback objects need one.
py::object make_frame(const code_place& place, const py::dict& globals) {
    const auto code = steal_or_throw(reinterpret_cast<PyObject*>(
        PyCode_NewEmpty(place.file, name_of(place), static_cast<int>(place.line))));
    auto* frame = PyFrame_New(PyThreadState_Get(), reinterpret_cast<PyCodeObject*>(code.ptr()),
                              globals.ptr(), nullptr);
    if (frame == nullptr)
        throw py::error_already_set();
    return py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(frame));
}

} // namespace

const char* name_of(const code_place& place) noexcept {
    return std::string_view(place.function) == "operator()" ? "<lambda>" : place.function;
}

void add_traceback(const py::object& exception, const exception_trace& trace) {
    const py::error_scope keep_set_error;
    try {
        const py::handle type(reinterpret_cast<PyObject*>(&PyTraceBack_Type));
        const py::dict globals;
        auto traceback =
            py::reinterpret_steal<py::object>(PyException_GetTraceback(exception.ptr()));
        if (!traceback)
            traceback = py::none();
        for (const auto& place : trace.places)
            if (is_users(place))
                traceback = type(traceback, make_frame(place, globals), 0, place.line);
        PyException_SetTraceback(exception.ptr(), traceback.ptr());
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("bridge: adding C++ coroutines to a traceback");
    }
}

} // namespace bridge::detail
