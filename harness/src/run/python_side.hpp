// SPDX-License-Identifier: Apache-2.0
// Python as the tests need it: started once, one fresh loop for each test.
#pragma once

#include <bridge/interpreter.hpp>
#include <bridge/py_ref.hpp>

#include "choose/command_line.hpp"
#include "record/running_test.hpp"
#include "run/await_points.hpp"
#include "run/watchdog.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace bridge::harness {

/// A test that runs beside others, begun and ended when its turn comes. Main thread, with the GIL.
class test_beside {
public:
    virtual running_test& start() = 0;
    virtual void finish() = 0;
    virtual watchdog& guard() = 0; ///< between them

protected:
    ~test_beside() = default;
};

/// Owns Python unless the program had started it. Main thread.
class python_side {
public:
    /// Throws usage_error if the loop that was asked for is not installed, or a number of
    /// threads is asked for and the program has made its default runtime; std::exception if
    /// Python cannot start.
    explicit python_side(const command_line& options);
    python_side(const python_side&) = delete;
    python_side& operator=(const python_side&) = delete;
    ~python_side();

    /// Before the first test. Until then no thread was started, so that the process may fork.
    void start_runtime();

    /// What is there by now is no test's: Python need not look at it again after each of them.
    void keep();

    /// Before forks: what each of them would do for the first time.
    void warm_up();

    /// Forks with Python's own preparations; as fork().
    int fork();

    /// In the environment, for Python and C++ alike.
    void set_variable(const char* name, const std::string& value);

    /// Python's buffered output.
    void flush();

    /// What Python does at its end as far as tests may depend on it: joins its threads, calls what
    /// was registered with atexit. It cannot be used afterwards.
    void end_without_finalizing();

    /// Runs the body and judges what is left of it; everything is told to the run. The guard knows
    /// what time does not count. Unless `keeps_suite`, the suite's fixture is torn down after it.
    /// `limit` is the time that the run has, and `points` learns where its body waits, if it is not
    /// null. Throws python_error for KeyboardInterrupt.
    void run(running_test& run, watchdog& guard, bool keeps_suite, std::chrono::milliseconds limit,
             await_points* points);

    /// The same for several in one loop, so many at once. What is none's is the group's, whose
    /// guard is the other argument.
    void run_together(const std::vector<test_beside*>& tests, unsigned at_once, running_test& group,
                      watchdog& guard);

private:
    py::object describe_beside(test_beside& test);
    const py::object& loop_factory(detail::loop_name loop);
    const py::object& loop_factory(const running_test& run);
    bool may_run(running_test& run);
    void load();

    /// Python's end takes our handlers of signals away: they are set again after it.
    struct handlers_at_the_end {
        ~handlers_at_the_end();
        bool are_ours = false;
    };

    handlers_at_the_end handlers_;
    std::optional<interpreter> python_;
    bool debug_;
    detail::loop_name loop_; ///< of tests whose id names none
    bool requires_loops_;
    std::vector<std::string> ignored_leaks_;                           ///< of every test
    std::array<py::object, detail::loop_names.size()> loop_factories_; ///< made when needed
    py::object virtual_time_loop_;                                     ///< likewise
    py::object function_;
    py::object function_for_several_;
    py_ref call_text_;
    py::object session_; ///< the loop of the suite that is set up; null: none is
    py::object flush_;
    py::object end_;
    py::object warm_up_;
    py::object keep_;
};

} // namespace bridge::harness
