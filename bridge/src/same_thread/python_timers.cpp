// SPDX-License-Identifier: Apache-2.0
#include "same_thread/python_timers.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

namespace bridge::detail {
namespace {

double in_seconds(python_timers::clock::time_point time) noexcept {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double when(PyObject* heap, std::size_t index) {
    return py::handle(PyList_GET_ITEM(heap, static_cast<Py_ssize_t>(index)))
        .attr("_when")
        .cast<double>();
}

// Where somebody has given the loop a clock of its own, its deadlines say nothing here.
bool has_this_clock(py::handle loop, double now) {
    return std::abs(loop.attr("time")().cast<double>() - now) < 0.5;
}

// Null while no timer is set.
py::object heap_of(py::handle loop, py::handle name) {
    auto heap = py::reinterpret_steal<py::object>(PyObject_GetAttr(loop.ptr(), name.ptr()));
    if (!heap)
        throw py::error_already_set();
    return PyList_Check(heap.ptr()) != 0 && PyList_GET_SIZE(heap.ptr()) > 0 ? heap : py::object();
}

// In their order, up to the first that is not due yet. A heap: what is above another is due before.
void read_due(PyObject* heap, double now, std::vector<double>& into) {
    using place = std::pair<double, std::size_t>;
    const auto size = static_cast<std::size_t>(PyList_GET_SIZE(heap));
    std::priority_queue<place, std::vector<place>, std::greater<>> next;
    next.emplace(when(heap, 0), 0);
    while (!next.empty() && into.size() < python_timers::most_at_once) {
        const auto [deadline, at] = next.top();
        next.pop();
        into.push_back(deadline);
        if (deadline > now)
            return;
        for (const auto below : {2 * at + 1, 2 * at + 2})
            if (below < size)
                next.emplace(when(heap, below), below);
    }
}

} // namespace

double python_timers::first_of(py::handle loop, py::handle heap_name,
                               clock::time_point now) noexcept {
    constexpr auto none = std::numeric_limits<double>::infinity();
    const py::error_scope keep_set_error;
    try {
        const auto heap = heap_of(loop, heap_name);
        if (!heap)
            return none;
        const auto first = when(heap.ptr(), 0);
        return first <= in_seconds(now) && !has_this_clock(loop, in_seconds(now)) ? none : first;
    } catch (...) {
        return none; // not asyncio's heap: then each kind has an order of its own
    }
}

void python_timers::read(py::handle loop, py::handle heap_name, clock::time_point now) noexcept {
    deadlines.clear();
    if (first_of(loop, heap_name, now) > in_seconds(now))
        return;
    const py::error_scope keep_set_error;
    try {
        read_due(heap_of(loop, heap_name).ptr(), in_seconds(now), deadlines);
    } catch (...) {
        deadlines.clear();
    }
}

} // namespace bridge::detail
