// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/for_harness.hpp>
#include <bridge/gil.hpp>
#include <bridge/python_error.hpp>

#include "record/errors.hpp"
#include "record/record_error.hpp"

#include <bridge/harness/detail/checking.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridge::harness {
namespace {

using protocol::failure_kind;

bool is_test_stop(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const detail::test_stop&) {
        return true;
    } catch (...) {
        return false;
    }
}

// What a stop becomes on its way through Python was recorded where it began; a cancelled body is
// the answer to our own time-out, or to a sweep.
bool is_known(const running_test& run, const std::exception_ptr& error) {
    return is_test_stop(error) || (run.is_stopped() && is_native_error(error)) ||
           (run.is_timed_out() && is_cancellation(error)) || ends_swept_body(run, error);
}

// Why unittest.SkipTest skips the test, if the error is one.
std::optional<std::string> skip_reason(const std::exception_ptr& error) {
    if (!is_python_exception(error))
        return std::nullopt;
    return with_gil([&]() -> std::optional<std::string> {
        // Not imported for this: who raises it has done that.
        const py::dict modules = py::module_::import("sys").attr("modules");
        if (!modules.contains("unittest"))
            return std::nullopt;
        const auto exception = to_python_exception(error);
        if (!py::isinstance(exception, modules["unittest"].attr("SkipTest")))
            return std::nullopt;
        return py::cast<std::string>(py::str(exception));
    });
}

// The coroutines of users that the error has left, the innermost first; the last is the test's own.
std::vector<bridge::detail::code_place> places_left_by(const std::exception_ptr& error) {
    std::vector<bridge::detail::code_place> places;
    if (const auto trace = bridge::detail::take_trace(error))
        std::copy_if(trace->places.begin(), trace->places.end(), std::back_inserter(places),
                     [](const bridge::detail::code_place& place) {
                         return bridge::detail::is_users(place) &&
                                std::string_view(place.file).find("harness/src/") ==
                                    std::string_view::npos;
                     });
    return places;
}

std::string describe(const std::vector<bridge::detail::code_place>& places, const char* test) {
    std::string text;
    for (const auto& one : places) {
        std::string_view name = one.function;
        if (name == "bridge_body") // what the macros call the test's own
            name = test;
        text += "\n  in " + std::string(name == "operator()" ? "<lambda>" : name) + " at " +
                one.file + ":" + std::to_string(one.line);
    }
    return text;
}

} // namespace

bool ends_swept_body(const running_test& run, const std::exception_ptr& error) {
    return run.is_cancelled() && run.phase().empty() && is_cancellation(error);
}

void record_error(running_test& run, const std::exception_ptr& error) {
    if (is_known(run, error))
        return;
    if (auto reason = skip_reason(error))
        return run.skip(std::move(*reason));
    const auto phase = run.phase();
    auto text = phase.empty() ? std::string() : "in " + phase + ": ";
    if (is_cancellation(error))
        text += "the body was cancelled, though nobody asked the harness: ";
    const auto& info = run.test().info;
    const auto places = places_left_by(error);
    run.fail(failure_kind::exception,
             text + explain_error(error) + describe(places, run.test().what->name),
             places.empty() ? info.file : places.back().file,
             places.empty() ? info.line : static_cast<int>(places.back().line));
    if (auto hint = hint_for(error); !hint.empty())
        run.note(std::move(hint));
}

} // namespace bridge::harness
