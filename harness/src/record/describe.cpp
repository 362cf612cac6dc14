// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/describe.hpp>

#include <bridge/harness/detail/decompose.hpp>

#include <bridge/protocol/text.hpp>

#include <boost/core/demangle.hpp>

#include <algorithm>

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

std::string text_difference(std::string_view left, std::string_view right) {
    if (left == right || std::max(left.size(), right.size()) <= long_text)
        return {};
    const auto at = static_cast<std::size_t>(
        std::mismatch(left.begin(), left.end(), right.begin(), right.end()).first - left.begin());
    const auto begin = at < 10 ? 0 : at - 10;
    const auto around = [&](std::string_view text) {
        return text.size() == at ? quote(text.substr(begin)) + " and no more"
                                 : quote(text.substr(begin, 30));
    };
    return "; first difference at [" + std::to_string(at) + "]: " + around(left) + " and " +
           around(right) + ", of " + std::to_string(left.size()) + " and " +
           std::to_string(right.size()) + " bytes";
}

std::string print_hint(const std::type_info& type) {
    const auto name = boost::core::demangle(type.name());
    return "; to see its value, give " + name + " an operator<<(std::ostream&, const " + name +
           "&)";
}

bool compare_python(py::handle left, py::handle right, int op) {
    const int answer = PyObject_RichCompareBool(left.ptr(), right.ptr(), op);
    if (answer < 0)
        throw py::error_already_set();
    return answer != 0;
}

} // namespace bridge::harness::detail
