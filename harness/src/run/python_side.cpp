// SPDX-License-Identifier: Apache-2.0
#include "run/python_side.hpp"

#include "record/errors.hpp"
#include "run_test_source.hpp"

#include <bridge/protocol/duration.hpp>

#include <bridge/detail/for_harness.hpp>
#include <bridge/event_loop.hpp>
#include <bridge/runtime.hpp>

#include <bridge/harness/detail/checking.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace bridge::harness {
namespace {

using boost::asio::awaitable;
using boost::asio::use_awaitable;
using protocol::failure_kind;

std::exception_ptr call_in(bridge::detail::turn_elsewhere& turn, detail::sync_body body) {
    std::exception_ptr error;
    turn.run([&] {
        try {
            body();
        } catch (...) {
            error = std::current_exception();
        }
    });
    return error;
}

// On a thread of its own: a body that hangs must not take one of the runtime's from later tests.
awaitable<void> run_sync(detail::sync_body body) {
    auto start = [turn = bridge::detail::turn_elsewhere(), body](auto handler) {
        std::thread([turn, body, handler = std::move(handler)]() mutable {
            auto error = call_in(turn, body);
            const auto on = boost::asio::get_associated_executor(handler);
            boost::asio::post(
                on, [handler = std::move(handler), error]() mutable { std::move(handler)(error); });
        }).detach();
    };
    co_await boost::asio::async_initiate<decltype(use_awaitable), void(std::exception_ptr)>(
        std::move(start), use_awaitable);
}

// Python never sees how the body ends: nothing is converted, and nothing is lost.
awaitable<void> run_body(running_test* run) {
    const auto& what = *run->test().what;
    try {
        // Not by `?:`: GCC 12 destroys the awaited temporary of a conditional twice.
        if (what.run_async != nullptr)
            co_await what.run_async();
        else
            co_await run_sync(what.run_sync);
    } catch (...) {
        run->body_error = std::current_exception();
    }
}

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
// the answer to our own time-out.
bool is_known(const running_test& run) {
    const auto& error = run.body_error;
    return is_test_stop(error) || (run.is_stopped() && is_native_error(error)) ||
           (run.is_timed_out() && is_cancellation(error));
}

void record_body_error(running_test& run) {
    const auto error = std::exchange(run.body_error, nullptr);
    if (!error)
        return;
    run.body_error = error;
    if (!is_known(run)) {
        const auto& info = run.test().info;
        const std::string cancelled =
            is_cancellation(error) ? "the body was cancelled, though nobody asked the harness: "
                                   : "";
        run.fail(failure_kind::exception, cancelled + explain_error(error), info.file, info.line);
        if (auto hint = hint_for(error); !hint.empty())
            run.note(std::move(hint));
    }
    run.body_error = nullptr;
}

void record(running_test& run, const std::string& kind, const std::string& message) {
    const auto& info = run.test().info;
    run.fail(protocol::parse_failure_kind(kind).value(), message, info.file, info.line);
}

py::object make_body(running_test& run) {
    return bridge::detail::to_python_with_slot(run_body(&run), &run, py::str(run.test().info.id));
}

double seconds(watchdog::clock::duration time) {
    return std::chrono::duration<double>(time).count();
}

py::object native_functions(watchdog& guard) {
    return py::module_::import("types").attr("SimpleNamespace")(
        py::arg("count") = py::cpp_function(&bridge::detail::count_native),
        py::arg("cancel") = py::cpp_function(&bridge::detail::cancel_native),
        py::arg("stopped") = py::cpp_function([&guard] { return seconds(guard.stopped()); }));
}

py::object find_loop_factory(loop_kind loop) {
    if (loop == loop_kind::same_thread)
        return event_loop_class();
    if (loop == loop_kind::asyncio)
        return py::module_::import("asyncio").attr("new_event_loop");
    try {
        return py::module_::import("uvloop").attr("new_event_loop");
    } catch (py::error_already_set& error) {
        if (!error.matches(PyExc_ImportError))
            throw;
        throw usage_error("the loop uvloop is asked for, but not installed: " +
                          std::string(python_error(error).what()));
    }
}

// Modules of another Python's environment cannot be imported: said here, rather than by each
// import.
void require_fitting_environment() {
    const char* folder = std::getenv("VIRTUAL_ENV");
    std::ifstream settings(folder != nullptr ? std::string(folder) + "/pyvenv.cfg" : std::string());
    const auto ours = std::to_string(PY_MAJOR_VERSION) + "." + std::to_string(PY_MINOR_VERSION);
    for (std::string line; std::getline(settings, line);) {
        const auto value = line.find_first_of("0123456789");
        if (!line.starts_with("version") || value == line.npos)
            continue;
        const auto theirs = line.substr(value, line.find('.', line.find('.') + 1) - value);
        if (theirs != ours)
            throw usage_error("VIRTUAL_ENV names " + std::string(folder) +
                              ", an environment of Python " + theirs +
                              ", but this program embeds Python " + ours +
                              "; name one that python" + ours + " has made, or unset VIRTUAL_ENV");
    }
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

python_side::python_side(const command_line& options) : debug_(options.debug) {
    if (options.threads)
        set_threads(*options.threads);
    if (Py_IsInitialized() == 0) {
        require_fitting_environment();
        python_.emplace();
    }
    const auto module = bridge::detail::run_embedded(
        "bridge.harness.run_test", "harness/src/run/run_test.py", run_test_source);
    function_ = module["run_test"];
    loop_factory_ = find_loop_factory(options.loop);
    flush_ = module["flush_output"];
    end_ = module["end_python"];
    warm_up_ = module["warm_up"];
    keep_ = module["keep_what_is_there"];
    keep();
    catch_dumps();
}

python_side::~python_side() = default;

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

void python_side::warm_up() {
    to_python_exception(std::make_exception_ptr(std::runtime_error(""))); // the bridge's part
    warm_up_(loop_factory_);
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

void python_side::run(running_test& run, watchdog& guard) {
    const auto report = [&run](const std::string& kind, const std::string& message) {
        record(run, kind, message);
    };
    const auto note = [&run](const std::string& message) { run.note(message); };
    try {
        function_(py::cpp_function([&run] { return make_body(run); }), loop_factory_, debug_,
                  run.test().info.id, seconds(run.timeout()),
                  protocol::format_duration(run.timeout()), py::cpp_function(report),
                  py::cpp_function(note), py::cpp_function([&run] { record_body_error(run); }),
                  native_functions(guard));
    } catch (py::error_already_set& error) {
        throw python_error(error);
    }
}

} // namespace bridge::harness
