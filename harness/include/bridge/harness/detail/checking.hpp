// SPDX-License-Identifier: Apache-2.0
// What the check macros call.
#pragma once

#include <bridge/python_error.hpp>

#include <bridge/harness/detail/decompose.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

namespace bridge::harness {

class running_test;

namespace detail {

/// Ends a test from the inside. Not a std::exception, so that user code does not catch it by
/// accident; what it stands for is recorded before it is thrown.
struct test_stop {};

/// Where a check stands and what it does when it fails.
struct check_site {
    const char* macro;
    const char* expression;
    const char* file;
    int line;
    bool ends_test;
};

/// What an expression that should throw did.
struct thrown {
    bool matches = false;
    std::exception_ptr other; ///< null: nothing was thrown
};

/// A Python exception class as a check names it.
class raised_type {
public:
    raised_type(const char* name) : name_(name) {}

    raised_type(PyObject* type) noexcept : type_(type) {}

    raised_type(py::handle type) noexcept : type_(type.ptr()) {}

    raised_type(const py_ref& type) noexcept : type_(type.handle().ptr()) {}

    /// Whether the exception is one of Python's and of this type. Requires the GIL.
    bool matches(const std::exception_ptr& error) const;

private:
    std::string_view name_;
    PyObject* type_ = nullptr; ///< borrowed
};

/// The arguments one after the other, text as it is.
template<class... T>
std::string join_text(const T&... parts) {
    const auto one = [](const auto& part) -> std::string {
        if constexpr (text_like<std::remove_cvref_t<decltype(part)>>)
            return std::string(std::string_view(part));
        else
            return describe(part);
    };
    return (std::string() + ... + one(parts));
}

/// While it lives its text stands beside every failure of the test. Any thread.
class failure_context {
public:
    explicit failure_context(std::string text);
    failure_context(const failure_context&) = delete;
    failure_context& operator=(const failure_context&) = delete;
    ~failure_context();

private:
    running_test* run_; ///< null: no test ran
    std::string text_;
};

/// Any thread. Attributed to the test whose handler runs here, else to the only one that runs.
void check(const check_site& site, const judgement& result);
void check_thrown(const check_site& site, const thrown& result);
void check_raised(const check_site& site, const raised_type& type, const thrown& result);
[[noreturn]] void skip(std::string_view reason);
[[noreturn]] void fail(std::string_view message, const char* file, int line);
void note(std::string_view text);

} // namespace detail
} // namespace bridge::harness
