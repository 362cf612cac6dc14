// SPDX-License-Identifier: Apache-2.0
#include <bridge/python_error.hpp>

#include "python/imports.hpp"

#include <bridge/detail/python_compat.hpp>

#include <boost/asio/error.hpp>

#include <utility>

namespace bridge {
namespace {

// "Type: text"; an exception whose __str__ raises still has a name.
std::string describe(py::handle exception) {
    std::string text = Py_TYPE(exception.ptr())->tp_name;
    auto message = py::reinterpret_steal<py::object>(PyObject_Str(exception.ptr()));
    if (!message) {
        PyErr_Clear();
        return text + ": <its __str__ raised>";
    }
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(message.ptr(), &size);
    if (utf8 == nullptr) {
        PyErr_Clear();
        return text + ": <its text is not valid Unicode>";
    }
    if (size > 0)
        text.append(": ").append(utf8, static_cast<std::size_t>(size));
    return text;
}

} // namespace

python_error::python_error(py::object value) {
    auto text = describe(value);
    state_ = std::make_shared<const state>(state{py_ref(std::move(value)), std::move(text)});
}

python_error::python_error(py::error_already_set& error)
    : python_error([&error] {
          error.restore();
          return detail::take_set_exception();
      }()) {}

python_error python_error::fetch() {
    auto exception = detail::take_set_exception();
    if (!exception)
        exception = py::reinterpret_borrow<py::object>(PyExc_SystemError)(
            "an error was reported to the bridge without an exception set");
    return python_error(std::move(exception));
}

bool python_error::matches(py::handle type) const {
    return PyErr_GivenExceptionMatches(state_->exception.handle().ptr(), type.ptr()) != 0;
}

void python_error::restore() const {
    detail::set_exception(value());
}

std::string python_error::format() const {
    const auto object = value();
    const auto traceback = py::module_::import("traceback");
    const auto join = py::str("").attr("join");
    try {
        return join(traceback.attr("format_exception")(py::type::of(object), object,
                                                       object.attr("__traceback__")))
            .cast<std::string>();
    } catch (py::error_already_set&) {
        // It raises for a class without __module__, for one.
        const auto lines = join(traceback.attr("format_tb")(object.attr("__traceback__")));
        return "Traceback (most recent call last):\n" + lines.cast<std::string>() + what() + "\n";
    }
}

python_cancelled::python_cancelled(python_error error)
    : boost::system::system_error(boost::asio::error::operation_aborted, error.what()),
      error_(std::move(error)) {}

void detail::throw_python_error() {
    std::rethrow_exception(fetch_python_exception());
}

std::exception_ptr detail::fetch_python_exception() {
    auto error = python_error::fetch();
    if (error.matches(get_imports().cancelled_error))
        return std::make_exception_ptr(python_cancelled(std::move(error)));
    return std::make_exception_ptr(std::move(error));
}

} // namespace bridge
