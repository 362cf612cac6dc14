// SPDX-License-Identifier: Apache-2.0
#include "python/find_system_error.hpp"
#include "python/imports.hpp"

#include <bridge/error.hpp>
#include <bridge/python_error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/multiple_exceptions.hpp>

#include <cxxabi.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace bridge {
namespace {

constexpr const char* carrier_name = "bridge.exception";

// Messages may hold any bytes; an exception must come out all the same.
py::object make_text(const std::string& text) {
    return py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
        text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
}

py::object make_exception(py::handle type, const std::string& text) {
    return type(make_text(text));
}

// OSError's constructor picks the subclass that belongs to the errno.
py::object make_os_error(int code, const std::string& text) {
    return py::reinterpret_borrow<py::object>(PyExc_OSError)(code, make_text(text));
}

py::object from_system_error(const boost::system::system_error& error) {
    const auto& code = error.code();
    if (detail::is_cancellation(code))
        return detail::get_imports().cancelled_error();
    if (code.category() == boost::system::system_category() ||
        code.category() == boost::system::generic_category())
        return make_os_error(code.value(), error.what());
    if (code == boost::asio::error::eof)
        return make_exception(PyExc_EOFError, error.what());
    if (code.category() == boost::asio::error::get_netdb_category() ||
        code.category() == boost::asio::error::get_addrinfo_category())
        return py::module_::import("socket").attr("gaierror")(code.value(),
                                                              make_text(error.what()));
    if (code.category() == bridge_category())
        return make_exception(PyExc_RuntimeError, error.what());
    // A value of a category of its own is not an errno.
    return make_exception(PyExc_OSError, error.what());
}

py::object from_std_system_error(const std::system_error& error) {
    const auto& category = error.code().category();
    if (category == std::system_category() || category == std::generic_category())
        return make_os_error(error.code().value(), error.what());
    return make_exception(PyExc_RuntimeError, error.what());
}

std::string thrown_type_name() {
    const std::type_info* type = abi::__cxa_current_exception_type();
    if (type == nullptr)
        return "an exception of a foreign runtime";
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
    return name ? name.get() : type->name();
}

// pybind11 answers a type that no translator knows with one of these.
bool is_unknown_to_pybind11(const python_error& error) {
    const std::string text = error.what();
    return text == "RuntimeError: Caught an unknown exception!" ||
           text == "RuntimeError: Caught an unknown nested exception!";
}

// Throws the C++ exception into pybind11's exception translators; of this module, which may have
// local ones.
py::handle rethrow_function() {
    static detail::python_mutex mutex;
    static PyObject* function = nullptr;
    static std::uint32_t made_in = 0;
    const std::lock_guard lock(mutex);
    const auto now = detail::shared().interpreter_life.load(std::memory_order_relaxed);
    if (function == nullptr || made_in != now) {
        function = py::cpp_function([](const py::capsule& carrier) {
                       std::rethrow_exception(*carrier.get_pointer<const std::exception_ptr>());
                   })
                       .release()
                       .ptr();
        made_in = now;
    }
    return function;
}

bool is_utf8(const char* text) {
    const auto decoded = py::reinterpret_steal<py::object>(PyUnicode_FromString(text));
    PyErr_Clear();
    return static_cast<bool>(decoded);
}

// As pybind11 translates them.
py::handle standard_type(const std::exception& error) {
    const auto is = [&]<class T>(T*) { return dynamic_cast<const T*>(&error) != nullptr; };
    if (is(static_cast<std::overflow_error*>(nullptr)))
        return PyExc_OverflowError;
    if (is(static_cast<std::out_of_range*>(nullptr)))
        return PyExc_IndexError;
    if (is(static_cast<std::domain_error*>(nullptr)) ||
        is(static_cast<std::invalid_argument*>(nullptr)) ||
        is(static_cast<std::length_error*>(nullptr)) || is(static_cast<std::range_error*>(nullptr)))
        return PyExc_ValueError;
    return PyExc_RuntimeError;
}

// pybind11 loses a text that is not UTF-8, and in some builds of Python the type with it.
py::object with_whole_text(const py::object& translated, const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        if (is_utf8(e.what()))
            return translated;
        const bool lost =
            PyErr_GivenExceptionMatches(translated.ptr(), PyExc_UnicodeDecodeError) != 0;
        return make_exception(lost ? standard_type(e) : py::type::handle_of(translated), e.what());
    } catch (...) {
        return translated;
    }
}

py::object from_translators(const std::exception_ptr& error) {
    const py::capsule carrier(&error, carrier_name);
    auto outcome = py::reinterpret_steal<py::object>(
        PyObject_CallOneArg(rethrow_function().ptr(), carrier.ptr()));
    const auto translated = python_error::fetch();
    if (!is_unknown_to_pybind11(translated))
        return with_whole_text(translated.value(), error);
    try {
        std::rethrow_exception(error);
    } catch (...) {
        return make_exception(detail::get_imports().native_error,
                              "C++ exception of type " + thrown_type_name());
    }
}

py::object translate(const std::exception_ptr& error);

bool is_in_causes_of(py::handle exception, py::handle wanted) {
    auto link = py::reinterpret_borrow<py::object>(exception);
    while (link && !link.is(wanted))
        link = py::reinterpret_steal<py::object>(PyException_GetCause(link.ptr()));
    return static_cast<bool>(link);
}

// The cause of a Python exception on its way out again, which keeps what it has.
py::object with_cause(py::object exception, const std::nested_exception* nested) {
    if (nested == nullptr || nested->nested_ptr() == nullptr ||
        py::reinterpret_steal<py::object>(PyException_GetCause(exception.ptr())))
        return exception;
    const auto cause = translate(nested->nested_ptr());
    if (!is_in_causes_of(cause, exception))
        PyException_SetCause(exception.ptr(), cause.inc_ref().ptr());
    return exception;
}

// As by `raise exception from cause`, with what std::throw_with_nested has put inside.
py::object with_nested(py::object exception, const std::nested_exception* nested) {
    if (nested == nullptr || nested->nested_ptr() == nullptr)
        return exception;
    const auto cause = translate(nested->nested_ptr());
    PyException_SetCause(exception.ptr(), cause.inc_ref().ptr());
    PyException_SetContext(exception.ptr(), cause.inc_ref().ptr());
    return exception;
}

template<class E>
const std::nested_exception* nested_in(const E& error) {
    return dynamic_cast<const std::nested_exception*>(&error);
}

py::object translate(const std::exception_ptr& error) {
    if (const auto* plain = detail::find_system_error(error)) // does not cost a throw
        return from_system_error(*plain);
    try {
        std::rethrow_exception(error);
    } catch (const python_error& e) {
        return with_cause(e.value(), nested_in(e));
    } catch (const python_cancelled& e) {
        return with_cause(e.error().value(), nested_in(e));
    } catch (py::error_already_set& e) {
        return with_cause(python_error(e).value(), nested_in(e));
    } catch (const boost::system::system_error& e) {
        return with_nested(from_system_error(e), nested_in(e));
    } catch (const boost::asio::multiple_exceptions& e) {
        return translate(e.first_exception()); // the others are the ends of cancelled branches
    } catch (const std::system_error& e) {
        return with_nested(from_std_system_error(e), nested_in(e));
    } catch (const std::nested_exception& e) {
        return with_nested(from_translators(error), &e); // pybind11 would ask its translators only
    } catch (...) {
        return from_translators(error);
    }
}

} // namespace

py::object to_python_exception(const std::exception_ptr& error) {
    try {
        return translate(error);
    } catch (py::error_already_set& e) {
        return python_error(e).value(); // making the exception failed: that failure is the news
    } catch (const std::exception& e) {
        return make_exception(PyExc_RuntimeError, e.what());
    }
}

py::object native_error_type() {
    return detail::get_imports().native_error;
}

} // namespace bridge
