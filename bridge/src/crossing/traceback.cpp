// SPDX-License-Identifier: Apache-2.0
#include "crossing/traceback.hpp"

#include <bridge/detail/steal_or_throw.hpp>

#include <frameobject.h>

#include <string_view>

namespace bridge::detail {
namespace {

// Python takes it for one called from here.
void stand_alone([[maybe_unused]] PyFrameObject* frame, [[maybe_unused]] bool has_begun) {
#if PY_VERSION_HEX < 0x030B0000
    Py_CLEAR(frame->f_back);
    frame->f_lasti = has_begun ? 0 : -1;
#endif
}

} // namespace

const char* name_of(const code_place& place) noexcept {
    return std::string_view(place.function) == "operator()" ? "<lambda>" : place.function;
}

py::object make_frame(const code_place& place, bool has_begun) {
    const auto code = steal_or_throw(reinterpret_cast<PyObject*>(
        PyCode_NewEmpty(place.file, name_of(place), static_cast<int>(place.line))));
    const py::dict globals;
    auto* frame = PyFrame_New(PyThreadState_Get(), reinterpret_cast<PyCodeObject*>(code.ptr()),
                              globals.ptr(), nullptr);
    auto made = steal_or_throw(reinterpret_cast<PyObject*>(frame));
    stand_alone(frame, has_begun);
    return made;
}

void add_traceback(const py::object& exception, const exception_trace& trace) {
    const py::error_scope keep_set_error;
    try {
        const py::handle type(reinterpret_cast<PyObject*>(&PyTraceBack_Type));
        auto traceback =
            py::reinterpret_steal<py::object>(PyException_GetTraceback(exception.ptr()));
        if (!traceback)
            traceback = py::none();
        for (const auto& place : trace.places)
            if (is_users(place))
                traceback = type(traceback, make_frame(place), 0, place.line);
        PyException_SetTraceback(exception.ptr(), traceback.ptr());
    } catch (py::error_already_set& error) {
        error.discard_as_unraisable("bridge: adding C++ coroutines to a traceback");
    }
}

} // namespace bridge::detail
