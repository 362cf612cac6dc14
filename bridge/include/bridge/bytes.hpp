// SPDX-License-Identifier: Apache-2.0
// Binary data in signatures: a std::string crosses as text.
#pragma once

#include <bridge/detail/python.hpp>

#include <string>
#include <utility>

namespace bridge {

/// Binary data that a coroutine may own without the GIL; a Python bytes object on the other side.
/// Taken from bytes, bytearray or a contiguous memoryview, always as a copy.
struct bytes {
    std::string data;

    friend bool operator==(const bytes&, const bytes&) = default;
};

} // namespace bridge

namespace pybind11::detail {

template<>
struct type_caster<bridge::bytes> {
    PYBIND11_TYPE_CASTER(bridge::bytes, const_name("bytes"));

    bool load(handle source, bool) {
        Py_buffer view;
        if (PyObject_CheckBuffer(source.ptr()) == 0)
            return false;
        if (PyObject_GetBuffer(source.ptr(), &view, PyBUF_SIMPLE) != 0) {
            PyErr_Clear();
            return false;
        }
        value.data.assign(static_cast<const char*>(view.buf), static_cast<std::size_t>(view.len));
        PyBuffer_Release(&view);
        return true;
    }

    static handle cast(const bridge::bytes& source, return_value_policy, handle) {
        return PyBytes_FromStringAndSize(source.data.data(),
                                         static_cast<Py_ssize_t>(source.data.size()));
    }
};

} // namespace pybind11::detail
