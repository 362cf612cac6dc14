// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/describe.hpp>

#include <bridge/harness/detail/decompose.hpp>

#include <bridge/protocol/text.hpp>

namespace bridge::harness::detail {
namespace {

void append_escaped(std::string& to, char c) {
    switch (c) {
    case '\n':
        to += "\\n";
        return;
    case '\r':
        to += "\\r";
        return;
    case '\t':
        to += "\\t";
        return;
    case '"':
    case '\\':
        to += '\\';
        break;
    default:
        if (static_cast<unsigned char>(c) < 0x20) {
            to += protocol::escape_byte(static_cast<unsigned char>(c));
            return;
        }
    }
    to += c;
}

} // namespace

std::string quote(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text)
        append_escaped(quoted, c);
    return quoted + "\"";
}

std::string python_repr(py::handle object) {
    if (!object)
        return "null";
    return with_gil([&]() -> std::string {
        const auto text = py::reinterpret_steal<py::object>(PyObject_Repr(object.ptr()));
        const char* utf8 = text ? PyUnicode_AsUTF8(text.ptr()) : nullptr;
        if (utf8 != nullptr)
            return utf8;
        PyErr_Clear();
        return std::string("<") + Py_TYPE(object.ptr())->tp_name + ", whose repr() raised>";
    });
}

bool compare_python(py::handle left, py::handle right, int op) {
    const int answer = PyObject_RichCompareBool(left.ptr(), right.ptr(), op);
    if (answer < 0)
        throw py::error_already_set();
    return answer != 0;
}

} // namespace bridge::harness::detail
