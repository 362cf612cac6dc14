// SPDX-License-Identifier: Apache-2.0
#include "run/python_functions.hpp"

#include "record/errors.hpp"
#include "record/references.hpp"
#include "record/waits.hpp"
#include "run/explaining.hpp"
#include "run/python_side.hpp"
#include "run/python_stacks.hpp"
#include "run/signal_handlers.hpp"
#include "run/stack_report.hpp"

#include <bridge/protocol/duration.hpp>

#include <bridge/detail/for_harness.hpp>

#include <pybind11/stl.h>

#include <signal.h>
#include <unistd.h>

namespace bridge::harness {
namespace {

// So long a thread of the runtime may work on one handler without being said to be blocked, or have
// no processor on a busy machine.
constexpr std::chrono::milliseconds time_to_answer{2000};

void say_all_stacks() {
    if (sanitizer_has_stacks)
        return say_waits(STDERR_FILENO);
    take_python_stacks(SIGQUIT);
    const py::gil_scoped_release released;
    say_waits(STDERR_FILENO);
    say_stacks(nullptr);
}

std::string text_of(std::string_view text) {
    return std::string(text);
}

py::list describe_waits(const running_test& run) {
    py::list all;
    for (const auto& one : pending_waits(run))
        all.append(py::make_tuple(one.function, one.text));
    return all;
}

py::list list_references(const std::vector<kept_reference>& references) {
    py::list all;
    for (const auto& one : references)
        all.append(py::make_tuple(one.type, one.text));
    return all;
}

std::string explain(const py::object& error) {
    return explain_reported_error(python_error(error));
}

py::object handler_function(const running_test& run) {
    return py::cpp_function([&run] {
        const py::gil_scoped_release released;
        return thread_of_handler(&run);
    });
}

} // namespace

double seconds(watchdog::clock::duration time) {
    return std::chrono::duration<double>(time).count();
}

py::object report_function(running_test& run) {
    return py::cpp_function([&run](const std::string& kind, const std::string& message) {
        const auto& info = run.test().info;
        run.fail(protocol::parse_failure_kind(kind).value(), message, info.file, info.line);
    });
}

py::object note_function(running_test& run) {
    return py::cpp_function([&run](const std::string& message) { run.note(message); });
}

// What cancel_sweep.py asks for.
py::object sweep_functions(await_points* points) {
    if (points == nullptr)
        return py::none();
    return py::module_::import("types").attr("SimpleNamespace")(
        py::arg("use_loop") =
            py::cpp_function([points](const py::object& loop, const py::object& cancel) {
                points->use_loop(loop, cancel);
            }),
        py::arg("forget_loop") = py::cpp_function([points] { points->forget_loop(); }),
        py::arg("draw") = py::cpp_function([points](const std::string& place) {
            return static_cast<unsigned>(points->draw_in_python(place));
        }),
        py::arg("signal") = py::cpp_function([points] { points->signal(); }),
        py::arg("set_reached") = py::cpp_function([points] { points->set_reached(); }),
        py::arg("drops") = py::cpp_function([points] { return points->drops(); }),
        py::arg("has_ended") = py::cpp_function([points] { return points->has_ended(); }));
}

py::object native_functions(const running_test& run, watchdog& guard) {
    return py::module_::import("types").attr("SimpleNamespace")(
        py::arg("explain") = py::cpp_function(&explain),
        py::arg("count") = py::cpp_function(&bridge::detail::count_native),
        py::arg("cancel") = py::cpp_function(&bridge::detail::cancel_native),
        py::arg("describe") = py::cpp_function(&bridge::detail::describe_native),
        py::arg("waits") = py::cpp_function([&run] { return count_waits(run); }),
        py::arg("describe_waits") = py::cpp_function([&run] { return describe_waits(run); }),
        py::arg("begin_references") = py::cpp_function(&begin_references),
        py::arg("end_references") = py::cpp_function(&end_references),
        py::arg("describe_references") =
            py::cpp_function([] { return list_references(kept_references()); }),
        py::arg("say_stacks") = py::cpp_function(&say_all_stacks),
        py::arg("place_of") =
            py::cpp_function([](int thread) { return text_of(place_of_thread(thread)); }),
        py::arg("places_of_others") =
            py::cpp_function([] { return text_of(places_of_others(this_thread())); }),
        py::arg("body_thread") = py::cpp_function([&run] { return run.body_thread(); }),
        py::arg("test_name") = run.test().what->name,
        py::arg("runtime_answers") = py::cpp_function([] {
            const py::gil_scoped_release released; // what it runs may wait for it
            const explaining now;
            return bridge::detail::default_runtime_answers(time_to_answer);
        }),
        py::arg("thread_of_handler") = handler_function(run),
        py::arg("alive") = py::cpp_function([&guard] { guard.put_off(watchdog_delay); }),
        py::arg("signal_handlers") = py::cpp_function(&signal_handlers),
        py::arg("stopped") = py::cpp_function([&guard] { return seconds(guard.stopped()); }));
}

py::object native_functions_of_group(const running_test& group, watchdog& guard) {
    auto all = native_functions(group, guard);
    all.attr("describe_references") =
        py::cpp_function([] { return list_references(kept_references_of(nullptr)); });
    return all;
}

py::object functions_beside(test_beside& test, running_test& run, py::object ignored,
                            py::object make_body) {
    return py::module_::import("types").attr("SimpleNamespace")(
        py::arg("name") = run.test().info.id, py::arg("timeout") = seconds(run.timeout()),
        py::arg("text") = protocol::format_duration(run.timeout()), py::arg("ignored") = ignored,
        py::arg("report") = report_function(run), py::arg("note") = note_function(run),
        py::arg("make_body") = make_body, py::arg("explain") = py::cpp_function(&explain),
        py::arg("stopped") = py::cpp_function([&test] { return seconds(test.guard().stopped()); }),
        py::arg("alive") = py::cpp_function([&test] { test.guard().put_off(watchdog_delay); }),
        py::arg("thread_of_handler") = handler_function(run),
        py::arg("waits") = py::cpp_function([&run] { return count_waits(run); }),
        py::arg("describe_waits") = py::cpp_function([&run] { return describe_waits(run); }),
        py::arg("describe_references") =
            py::cpp_function([&run] { return list_references(kept_references_of(&run)); }),
        py::arg("place_of") =
            py::cpp_function([](int thread) { return text_of(place_of_thread(thread)); }),
        py::arg("body_thread") = py::cpp_function([&run] { return run.body_thread(); }),
        py::arg("test_name") = run.test().what->name,
        py::arg("say_stacks") = py::cpp_function(&say_all_stacks));
}

} // namespace bridge::harness
