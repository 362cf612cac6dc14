// SPDX-License-Identifier: Apache-2.0
#include <bridge/gil.hpp>
#include <bridge/python_error.hpp>

#include "record/errors.hpp"
#include "record/running_test.hpp"
#include "record/throws.hpp"

#include <bridge/detail/for_harness.hpp>
#include <bridge/harness/describe.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/core/demangle.hpp>
#include <boost/system/system_error.hpp>

#include <cxxabi.h>

#include <optional>
#include <string_view>
#include <system_error>
#include <typeinfo>

namespace bridge::harness {
namespace {

// What std::throw_with_nested throws is named as what it was given.
std::string without_nesting(std::string name) {
    for (const std::string_view wrapper : {"std::_Nested_exception<", "std::__nested<"})
        if (name.starts_with(wrapper) && name.ends_with('>'))
            return name.substr(wrapper.size(), name.size() - wrapper.size() - 1);
    return name;
}

std::string current_type_name() {
    const auto* type = abi::__cxa_current_exception_type();
    return type != nullptr ? without_nesting(boost::core::demangle(type->name()))
                           : "an exception of unknown type";
}

// The Python exception inside, if there is one.
std::optional<python_error> python_error_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const python_error& e) {
        return e;
    } catch (const python_cancelled& e) {
        return e.error();
    } catch (py::error_already_set&) {
        return with_gil([&] { return python_error(to_python_exception(error)); });
    } catch (...) {
        return std::nullopt;
    }
}

template<class... T>
std::string describe_if_one_of(const std::exception_ptr& error) {
    std::string text;
    const auto is_one = [&]<class One>(One*) {
        try {
            std::rethrow_exception(error);
        } catch (const One& value) {
            text = harness::describe(value);
            return true;
        } catch (...) {
            return false;
        }
    };
    (is_one(static_cast<T*>(nullptr)) || ...);
    return text;
}

// Of what is no std::exception, if it is of a type that many throw.
std::string describe_value(const std::exception_ptr& error) {
    return describe_if_one_of<int, unsigned, long, unsigned long, long long, unsigned long long,
                              bool, char, float, double, const char*, std::string, std::string_view,
                              std::error_code, boost::system::error_code>(error);
}

// What std::throw_with_nested has put into it, and so on; empty if there is nothing.
std::string describe_nested(const std::exception& outer) {
    try {
        std::rethrow_if_nested(outer);
    } catch (...) {
        return "\n  caused by " + describe_error(std::current_exception());
    }
    return {};
}

void add_leaves(const py::object& error, std::string& to) {
    constexpr std::size_t most = 1000;
    if (!py::hasattr(error, "exceptions")) {
        to += (to.empty() ? "" : "; ") + std::string(python_error(error).what());
        return;
    }
    for (const auto& one : error.attr("exceptions"))
        if (to.size() < most)
            add_leaves(py::reinterpret_borrow<py::object>(one), to);
}

// With the exceptions of an exception group.
std::string headline(const python_error& error) {
    const auto object = error.value();
    std::string text = error.what();
    if (!py::hasattr(object, "exceptions") || !py::hasattr(object, "split"))
        return text;
    std::string leaves;
    add_leaves(object, leaves);
    return text + ": " + leaves;
}

// What the macros call every test's body is named as the test.
void name_body(std::string& traceback) {
    constexpr std::string_view body = ", in bridge_body\n";
    const auto* run = running_test::find();
    for (std::size_t at = 0; run != nullptr && (at = traceback.find(body, at)) != traceback.npos;)
        traceback.replace(at, body.size(), ", in " + std::string(run->test().what->name) + "\n");
}

} // namespace

std::string describe_error(const std::exception_ptr& error) {
    if (const auto python = python_error_of(error))
        return python->what();
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        return current_type_name() + ": " + e.what() + describe_nested(e);
    } catch (...) {
        const auto value = describe_value(error);
        return current_type_name() + (value.empty() ? "" : ": " + value);
    }
}

std::string explain_error(const std::exception_ptr& error) {
    if (const auto python = python_error_of(error))
        return with_gil([&] { return explain_python_error(*python); });
    return describe_error(error) + place_of_throw(error);
}

std::string explain_reported_error(const python_error& error) {
    const auto* native = bridge::detail::reported_error();
    return native != nullptr ? explain_error(*native) : explain_python_error(error);
}

std::string explain_python_error(const python_error& error) {
    auto traceback = error.format();
    while (!traceback.empty() && traceback.back() == '\n')
        traceback.pop_back();
    name_body(traceback);
    auto head = headline(error);
    return traceback == head ? head : head + "\n" + traceback;
}

std::string hint_for(const std::exception_ptr& error) {
    const auto python = python_error_of(error);
    if (!python)
        return {};
    return with_gil([&]() -> std::string {
        if (!python->matches(PyExc_ModuleNotFoundError))
            return {};
        const auto sys = py::module_::import("sys");
        return py::str("Python {} of {} looked for the module in {}; VIRTUAL_ENV (or bridge-test "
                       "--python) chooses an environment that has it, PYTHONPATH adds folders")
            .format(std::string(PY_VERSION), sys.attr("prefix"), sys.attr("path"));
    });
}

bool is_python_exception(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const python_error&) {
        return true;
    } catch (const py::error_already_set&) {
        return true;
    } catch (...) {
        return is_cancellation(error);
    }
}

bool is_cancellation(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        return e.code() == boost::asio::error::operation_aborted;
    } catch (const boost::asio::multiple_exceptions& e) { // out of && and ||
        return is_cancellation(e.first_exception());
    } catch (...) {
        return false;
    }
}

bool is_native_error(const std::exception_ptr& error) {
    const auto python = python_error_of(error);
    return python && with_gil([&] { return python->matches(native_error_type()); });
}

} // namespace bridge::harness
