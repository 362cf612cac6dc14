// SPDX-License-Identifier: Apache-2.0
#include <bridge/harness/detail/checking.hpp>

#include "record/errors.hpp"
#include "record/record_error.hpp"
#include "record/running_test.hpp"

#include <bridge/gil.hpp>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace bridge::harness::detail {
namespace {

// A check while no test runs can fail nothing but the program.
running_test& run_of(const char* what, const char* file, int line) {
    if (auto* run = running_test::find())
        return *run;
    std::fprintf(stderr, "%s:%d: %s outside of any test\n", file, line, what);
    std::abort();
}

void record(const check_site& site, const std::string& message) {
    auto& run = run_of(site.macro, site.file, site.line);
    if (site.ends_test)
        run.mark_stopped();
    run.fail(protocol::failure_kind::check, message, site.file, site.line);
    if (site.ends_test)
        throw test_stop();
}

std::string head(const check_site& site) {
    return std::string(site.macro) + "(" + site.expression + ")";
}

void record_thrown(const check_site& site, const std::exception_ptr& error) {
    record(site, head(site) + (error ? ": threw " + describe_error(error) : ": threw nothing"));
}

// What a sweep asked for ends the body, whatever the check expects.
void pass_on_cancellation(const thrown& result) {
    const auto* run = running_test::find();
    if (result.other && run != nullptr && ends_swept_body(*run, result.other))
        std::rethrow_exception(result.other);
}

py::object import_type(std::string_view name) {
    const auto dot = name.rfind('.');
    const auto module = dot == name.npos ? std::string_view("builtins") : name.substr(0, dot);
    const auto last = dot == name.npos ? name : name.substr(dot + 1);
    return py::module_::import(std::string(module).c_str()).attr(std::string(last).c_str());
}

} // namespace

bool raised_type::matches(const std::exception_ptr& error) const {
    if (!is_python_exception(error))
        return false;
    const auto exception = to_python_exception(error);
    const auto type =
        type_ != nullptr ? py::reinterpret_borrow<py::object>(type_) : import_type(name_);
    return PyErr_GivenExceptionMatches(exception.ptr(), type.ptr()) != 0;
}

void check(const check_site& site, const judgement& result) {
    if (!result.holds)
        record(site, head(site) + (result.values.empty() ? "" : ": " + result.values));
}

void check_thrown(const check_site& site, const thrown& result) {
    pass_on_cancellation(result);
    if (!result.matches)
        record_thrown(site, result.other);
}

void check_raised(const check_site& site, const raised_type& type, const thrown& result) {
    pass_on_cancellation(result);
    if (!result.other || !with_gil([&] { return type.matches(result.other); }))
        record_thrown(site, result.other);
}

void skip(std::string_view reason) {
    if (auto* run = running_test::find())
        run->skip(std::string(reason));
    throw test_stop();
}

void fail(std::string_view message, const char* file, int line) {
    auto& run = run_of("BRIDGE_FAIL", file, line);
    run.mark_stopped();
    run.fail(protocol::failure_kind::check, std::string(message), file, line);
    throw test_stop();
}

void note(std::string_view text) {
    if (auto* run = running_test::find())
        run->note(std::string(text));
}

failure_context::failure_context(std::string text)
    : run_(running_test::find()), text_(std::move(text)) {
    if (run_ != nullptr)
        run_->add_context(text_);
}

failure_context::~failure_context() {
    if (run_ != nullptr)
        run_->remove_context(text_);
}

} // namespace bridge::harness::detail
