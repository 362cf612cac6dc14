// SPDX-License-Identifier: Apache-2.0
// The native part of the Python package bridge_asyncio.
#include <bridge/blocking.hpp>
#include <bridge/event_loop.hpp>
#include <bridge/python_error.hpp>
#include <bridge/run.hpp>
#include <bridge/stats.hpp>

namespace py = pybind11;

namespace {

double in_seconds(std::chrono::duration<double> time) {
    return time.count();
}

py::dict to_dict(const bridge::loop_stats& loop) {
    py::dict all;
    all["same_thread"] = loop.same_thread;
    all["contexts"] = loop.contexts;
    all["in_flight"] = loop.in_flight;
    all["queued"] = loop.queued;
    all["delivered"] = loop.delivered;
    all["wakes"] = loop.wakes;
    all["wakes_per_message"] = loop.wakes_per_message();
    all["drains"] = loop.drains;
    all["drain_time"] = in_seconds(loop.drain_time);
    all["longest_drain"] = in_seconds(loop.longest_drain);
    return all;
}

py::dict stats() {
    const auto now = bridge::stats();
    py::list loops;
    for (const auto& loop : now.loops)
        loops.append(to_dict(loop));
    py::dict all;
    all["loops"] = loops;
    all["images"] = now.images;
    all["default_runtime_runs"] = now.default_runtime_runs;
    all["gil_takes"] = now.gil_takes;
    return all;
}

} // namespace

#ifdef Py_GIL_DISABLED // there pybind11 is new enough to be told that it stays off
PYBIND11_MODULE(_native, module, py::mod_gil_not_used()) {
#else
PYBIND11_MODULE(_native, module) {
#endif
    module.attr("EventLoop") = bridge::event_loop_class();
    module.attr("NativeError") = bridge::native_error_type();
    module.def(
        "run",
        [](const py::object& main, bool debug) {
            return bridge::detail::run_in_new_loop(
                main, {.loop_factory = bridge::event_loop_class(), .debug = debug});
        },
        py::arg("main"), py::arg("debug"), "asyncio.run() of Pythons before 3.11.");
    module.def(
        "blocking", [](bridge::py_ref awaitable) { return bridge::blocking(awaitable); },
        py::arg("awaitable"), "Waits for an awaitable, whether or not a loop runs on this thread.");
    module.def("stats", &stats, "What is under way between Python and C++, and what it has cost.");
}
