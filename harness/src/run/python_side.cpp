// SPDX-License-Identifier: Apache-2.0
#include "run/python_side.hpp"

#include "choose/chosen_python.hpp"
#include "record/errors.hpp"
#include "record/references.hpp"
#include "record/throws.hpp"
#include "run/body.hpp"
#include "run/crash_report.hpp"
#include "run/python_functions.hpp"
#include "run/python_modules.hpp"
#include "run/python_stacks.hpp"
#include "run/stack_report.hpp"

#include <bridge/protocol/duration.hpp>

#include <bridge/detail/for_harness.hpp>
#include <bridge/event_loop.hpp>
#include <bridge/runtime.hpp>

#include <pybind11/stl.h>

#include <boost/asio/signal_set.hpp>

#include <unistd.h>

#include <stdexcept>

namespace bridge::harness {
namespace {

class loop_missing : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

using protocol::failure_kind;

// Null for a body of the main thread, which has ended by then.
py::object make_body(running_test& run, const py_ref& call_text, await_points* points) {
    if (run.test().what->body.on_main_thread != nullptr) {
        run_on_main_thread(run);
        return py::none();
    }
    return bridge::detail::to_python_with_slot(run_body(run, call_text.clone(), points), &run,
                                               py::str(run.test().info.id));
}

// A failure of the suite's own code is the test's that runs; what it leaves running is nobody's.
py::object make_suite_part(running_test& run, const char* phase,
                           boost::asio::awaitable<void> (*part)(), bool& has_failed) {
    return bridge::detail::to_python_with_slot(run_suite_part(run, phase, part, has_failed),
                                               nullptr, py::str(run.test().info.id));
}

// Throws loop_missing.
py::object find_loop_factory(detail::loop_name loop) {
    if (loop == detail::loop_name::same_thread)
        return event_loop_class();
    if (loop != detail::loop_name::uvloop)
        return py::module_::import("asyncio").attr("new_event_loop");
    try {
        return py::module_::import("uvloop").attr("new_event_loop");
    } catch (py::error_already_set& error) {
        if (!error.matches(PyExc_ImportError))
            throw;
        throw loop_missing("the loop uvloop is asked for, but not installed: " +
                           std::string(python_error(error).what()));
    }
}

// By its own conditions; true also if one of them throws.
bool is_skipped(running_test& run) {
    const auto& test = run.test();
    try {
        for (const auto& one : test.options.skips) {
            if (!one.condition())
                continue;
            run.skip(std::string(one.reason));
            return true;
        }
        return false;
    } catch (...) {
        run.fail(failure_kind::exception, "in skip_if: " + explain_error(std::current_exception()),
                 test.info.file, test.info.line);
        return true;
    }
}

bool has_loop_body(const registered_test& test) {
    return test.what->body.on_thread == nullptr && test.what->body.on_main_thread == nullptr;
}

// Throws std::logic_error.
void require_options_possible(const registered_test& test, detail::loop_name loop) {
    if (test.options.is_swept && !has_loop_body(test))
        throw std::logic_error("cancel_sweep() is for bodies that the loop runs: write the test as "
                               "BRIDGE_TEST or BRIDGE_TEST_PY");
    if (!test.options.is_in_virtual_time)
        return;
    if (!has_loop_body(test))
        throw std::logic_error("virtual_time() is for bodies that the loop runs: write the test as "
                               "BRIDGE_TEST or BRIDGE_TEST_PY");
    if (loop != detail::loop_name::same_thread)
        throw std::logic_error("virtual_time() needs the loop same-thread, and " +
                               std::string(to_string(loop)) +
                               " has real time: remove the other loops from the test's loops()");
}

std::vector<std::string> all_ignored_leaks(const registered_test& test,
                                           const std::vector<std::string>& of_run) {
    auto all = test.options.ignored_leaks;
    all.insert(all.end(), of_run.begin(), of_run.end());
    return all;
}

// Starts none yet.
void set_threads(unsigned number) {
    try {
        init_default_runtime({.threads = number});
    } catch (const std::logic_error&) {
        throw usage_error(
            "a number of threads is asked for (--threads or BRIDGE_TEST_THREADS), but "
            "this program has made its default runtime itself");
    }
}

} // namespace

python_side::python_side(const command_line& options)
    : debug_(options.debug), loop_(options.loop), requires_loops_(options.requires_loops),
      ignored_leaks_(options.ignored_leaks) {
    if (options.threads)
        set_threads(*options.threads);
    if (Py_IsInitialized() == 0) {
        const auto python = chosen_python();
        handlers_.are_ours = true;
        python_.emplace(0, nullptr, python.empty() ? nullptr : python.c_str());
    }
    try {
        load();
    } catch (py::error_already_set& error) {
        throw std::runtime_error(python_error(error).what()); // which outlives Python
    }
    keep();
    catch_dumps();
    report_crashes(); // after faulthandler
    note_waits();
    note_references();
    if (!sanitizer_has_stacks)
        note_throws(&find_users_line);
}

void python_side::load() {
    const auto module = load_run_test();
    function_ = module["run_test"];
    function_for_several_ = module["run_together"];
    try {
        loop_factory(loop_);
    } catch (const loop_missing& error) {
        throw usage_error(error.what());
    }
    call_text_ = py_ref(load_call_text());
    flush_ = module["flush_output"];
    end_ = module["end_python"];
    warm_up_ = module["warm_up"];
    keep_ = module["keep_what_is_there"];
}

python_side::~python_side() {
    if (python_)
        set_python_dump(nullptr);
}

python_side::handlers_at_the_end::~handlers_at_the_end() {
    if (!are_ours)
        return;
    catch_dumps();
    report_crashes();
}

void python_side::start_runtime() {
    auto& runtime = default_runtime(); // its own exit handlers are registered before ours
    try {
        // What Asio opens when it is first used is not a test's to close.
        const boost::asio::signal_set opens_all(runtime.io_context());
    } catch (const std::logic_error&) {
        // A runtime of the program's own.
    }
}

void python_side::keep() {
    if (python_) // else it is not ours to say what is kept
        keep_();
}

const py::object& python_side::loop_factory(detail::loop_name loop) {
    auto& known = loop_factories_[static_cast<std::size_t>(loop)];
    if (!known)
        known = find_loop_factory(loop);
    return known;
}

const py::object& python_side::loop_factory(const running_test& run) {
    if (!run.test().options.is_in_virtual_time)
        return loop_factory(run.loop());
    if (!virtual_time_loop_)
        virtual_time_loop_ = load_virtual_time_loop();
    return virtual_time_loop_;
}

void python_side::warm_up() {
    to_python_exception(std::make_exception_ptr(std::runtime_error(""))); // the bridge's part
    warm_up_(loop_factory(loop_));
    keep();
}

int python_side::fork() {
    PyOS_BeforeFork();
    const auto pid = ::fork();
    if (pid == 0)
        PyOS_AfterFork_Child();
    else
        PyOS_AfterFork_Parent();
    return pid;
}

void python_side::set_variable(const char* name, const std::string& value) {
    py::module_::import("os").attr("environ")[name] = value;
}

void python_side::flush() {
    flush_();
}

void python_side::end_without_finalizing() {
    end_();
}

// Whether it may run, by its own conditions and its loop; if not the run is told why.
bool python_side::may_run(running_test& run) {
    const auto& test = run.test();
    try {
        if (is_skipped(run))
            return false;
        require_options_possible(test, run.loop());
        loop_factory(run);
        return true;
    } catch (const loop_missing& error) {
        if (requires_loops_)
            run.fail(failure_kind::exception, error.what(), test.info.file, test.info.line);
        else
            run.skip(error.what());
    } catch (...) {
        run.fail(failure_kind::exception, explain_error(std::current_exception()), test.info.file,
                 test.info.line);
    }
    return false;
}

// What run_together.py calls when it is the test's turn: what it needs of the run, or None.
py::object python_side::describe_beside(test_beside& test) {
    auto& run = test.start();
    if (!may_run(run))
        return py::none();
    return functions_beside(
        test, run, py::cast(all_ignored_leaks(run.test(), ignored_leaks_)),
        py::cpp_function([this, &run] { return make_body(run, call_text_, nullptr); }));
}

void python_side::run_together(const std::vector<test_beside*>& tests, unsigned at_once,
                               running_test& group, watchdog& guard) {
    const auto make = py::module_::import("types").attr("SimpleNamespace");
    py::list all;
    for (auto* one : tests)
        all.append(
            make(py::arg("start") = py::cpp_function([this, one] { return describe_beside(*one); }),
                 py::arg("finish") = py::cpp_function([one] { one->finish(); })));
    try {
        function_for_several_(all, at_once,
                              make(py::arg("report") = report_function(group),
                                   py::arg("note") = note_function(group)),
                              loop_factory(group),
                              debug_ || group.loop() == detail::loop_name::asyncio_debug,
                              py::cast(ignored_leaks_), native_functions_of_group(group, guard));
    } catch (py::error_already_set& error) {
        throw python_error(error);
    }
}

void python_side::run(running_test& run, watchdog& guard, bool keeps_suite,
                      std::chrono::milliseconds limit, await_points* points) {
    const bool runs = may_run(run);
    if (!runs && (!session_ || keeps_suite))
        return;
    const auto phase = [&run] { return run.phase(); };
    const auto& test = run.test();
    const auto loop = run.loop();
    const auto* suite = test.what->fixture.suite;
    bool has_failed = false;
    const auto part = [&](const char* name, boost::asio::awaitable<void> (*function)()) {
        return py::cpp_function([&run, name, function, &has_failed]() -> py::object {
            // None: there is no suite, or its set-up has failed.
            return has_failed ? py::none() : make_suite_part(run, name, function, has_failed);
        });
    };
    const auto suite_functions = py::module_::import("types").attr("SimpleNamespace")(
        py::arg("set_up") = suite != nullptr && !session_ && runs
                                ? py::object(part("set_up_suite", suite->set_up))
                                : py::object(py::none()),
        py::arg("tear_down") = suite != nullptr && !keeps_suite
                                   ? py::object(part("tear_down_suite", suite->tear_down))
                                   : py::object(py::none()),
        py::arg("has_failed") = py::cpp_function([&has_failed] { return has_failed; }),
        py::arg("session") = session_ ? session_ : py::object(py::none()));
    session_ = py::object();
    try {
        session_ =
            function_(py::cpp_function([&]() -> py::object {
                          return runs ? make_body(run, call_text_, points) : py::none();
                      }),
                      loop_factory(run), debug_ || loop == detail::loop_name::asyncio_debug,
                      test.info.id, seconds(limit), protocol::format_duration(run.timeout()),
                      report_function(run), note_function(run),
                      py::cast(all_ignored_leaks(test, ignored_leaks_)), py::cpp_function(phase),
                      suite_functions, native_functions(run, guard), sweep_functions(points));
        if (session_.is_none())
            session_ = py::object();
    } catch (py::error_already_set& error) {
        throw python_error(error);
    }
}

} // namespace bridge::harness
