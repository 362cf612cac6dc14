// SPDX-License-Identifier: Apache-2.0
#include <bridge/run.hpp>

#include "embedded.hpp"
#include "imports.hpp"
#include "run_source.hpp"

#include <bridge/detail/port.hpp>

namespace bridge {
namespace {

// Asks what runs natively for the loop to stop; how much there is. Calls `when_idle` once there is
// nothing more.
std::size_t cancel_native(const py::object& loop, py::object when_idle) {
    auto port = detail::port::find(loop);
    return port ? port->cancel_members(std::move(when_idle)) : 0;
}

} // namespace

py::object detail::run_in_new_loop(const py::object& main, const run_options& options) {
    auto& function = get_imports().run;
    if (!function)
        function = run_embedded("bridge.run", "bridge/src/run.py", run_source)["run"];
    const auto factory = options.loop_factory ? options.loop_factory.get() : py::none();
    const std::chrono::duration<double> deadline = options.deadline;
    return function(main, factory, options.debug, deadline.count(),
                    py::cpp_function(&cancel_native));
}

bool detail::is_program_end(const std::exception_ptr& error) {
    return with_gil([&] {
        try {
            std::rethrow_exception(error);
        } catch (const python_error& e) {
            return e.matches(PyExc_KeyboardInterrupt) || e.matches(PyExc_SystemExit);
        } catch (...) {
            return false;
        }
    });
}

void run_forever(const py_ref& loop) {
    detail::strand::run_outside([&] { with_gil([&] { loop.get().attr("run_forever")(); }); });
}

} // namespace bridge
