// SPDX-License-Identifier: Apache-2.0
// A Python exception carried through C++, and a C++ exception on its way into Python.
#pragma once

#include <bridge/py_ref.hpp>

#include <boost/system/system_error.hpp>

#include <exception>
#include <memory>
#include <string>

namespace bridge {

/// A Python exception in C++. Keeps the exception object with traceback, cause and notes; when it
/// crosses back it is the same object. Copied, thrown and destroyed on any thread without the GIL.
class python_error : public std::exception {
public:
    /// Takes the error that is set in Python and clears it.
    /// GIL: required.
    static python_error fetch();

    /// Wraps an exception object.
    /// GIL: required.
    explicit python_error(py::object value);

    /// Takes what pybind11 threw.
    /// GIL: required.
    explicit python_error(py::error_already_set& error);

    /// "TypeError: text", made when the error was taken; no GIL.
    const char* what() const noexcept override { return state_->text.c_str(); }

    /// The exception object.
    /// GIL: required.
    py::object value() const { return state_->exception.get(); }

    /// Whether the exception is an instance of the type.
    /// GIL: required.
    bool matches(py::handle type) const;

    /// Sets this error in Python again.
    /// GIL: required.
    void restore() const;

    /// The traceback as text, as Python prints it.
    /// GIL: required.
    std::string format() const;

private:
    struct state {
        py_ref exception;
        std::string text;
    };

    std::shared_ptr<const state> state_;
};

/// What a cancelled Python await throws in C++: operation_aborted, so that Asio code sees its own
/// error, with the CancelledError inside, so that its message survives the way back.
class python_cancelled : public boost::system::system_error {
public:
    explicit python_cancelled(python_error error);

    const python_error& error() const noexcept { return error_; }

private:
    python_error error_;
};

/// An exception object for a C++ exception: a python_error's own object; CancelledError for
/// operation_aborted; the OSError subclass of a system_error's errno; what a translator registered
/// with pybind11 makes; NativeError for the rest. Never fails.
/// GIL: required.
py::object to_python_exception(const std::exception_ptr& error);

/// The Python class NativeError (a RuntimeError): a C++ exception that no rule knows.
/// GIL: required.
py::object native_error_type();

namespace detail {

/// Throws the error set in Python: python_cancelled for CancelledError, else python_error.
[[noreturn]] void throw_python_error();

/// The same as an exception_ptr, for completions.
std::exception_ptr fetch_python_exception();

} // namespace detail
} // namespace bridge
