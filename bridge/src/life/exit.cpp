// SPDX-License-Identifier: Apache-2.0
#include "python/exit.hpp"

#include "crossing/coroutine.hpp"
#include "runtime/default_runtime.hpp"

#include <bridge/detail/interpreter_entry.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/detail/python_compat.hpp>
#include <bridge/detail/references.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>

#include <unistd.h>

#include <chrono>
#include <thread>

namespace bridge::detail {
namespace {

using clock = std::chrono::steady_clock;

constexpr const char* exited_key = "bridge.exited";

py::dict interpreter_dict() {
    return py::reinterpret_borrow<py::dict>(PyInterpreterState_GetDict(PyInterpreterState_Get()));
}

// Those inside may be waiting for the GIL; the bound keeps exit from hanging on user code.
void close_interpreter_gate() noexcept {
    interpreter_gate().refuse(); // under the GIL, by which some enter
    const gil_pause pause(gil_pause::known_held{});
    interpreter_gate().close(clock::now() + std::chrono::seconds(2));
}

// The first hook of the bridge that runs, perhaps before those of others.
PyObject* at_exit(PyObject*, PyObject*) {
    shared().exit_thread = &this_thread();
    // Nobody may begin anew: neither threads that run while this one waits below, nor exit hooks of
    // others that come later.
    PyDict_SetItemString(PyInterpreterState_GetDict(PyInterpreterState_Get()), exited_key, Py_True);
    // Whoever waits in Python waits no more: cancel it, so that the threads come to their end.
    if (shared().all != nullptr)
        port::close_all();
    end_default_runtimes();
    drop_released_references();
    shared().interpreter_ended = true;
    free_spare_coroutines();
    close_interpreter_gate();
    Py_RETURN_NONE;
}

PyMethodDef exit_method = {"bridge_exit", at_exit, METH_O, nullptr};

PyObject* stay_instead(PyObject*, PyObject*) {
    stay_for_ever();
}

PyMethodDef stay_method = {"bridge_stay", stay_instead, METH_VARARGS, nullptr};

// An exception whose making does not return, so that no handler sees it.
py::object make_stay_exception() noexcept {
    const auto stay = py::reinterpret_steal<py::object>(PyCFunction_New(&stay_method, nullptr));
    const auto members =
        py::reinterpret_steal<py::object>(Py_BuildValue("{s:O}", "__new__", stay.ptr()));
    if (!stay || !members)
        return {};
    return py::reinterpret_steal<py::object>(
        PyErr_NewException("bridge.Stay", PyExc_BaseException, members.ptr()));
}

// Asks threads that compute in Python below C++ frames to stay where they are, where CPython would
// end them. One that blocks there does not hear it; the bound is for those.
void stop_those_inside() noexcept {
    if (!ends_threads_at_exit)
        return;
    const auto stay = make_stay_exception();
    if (!stay)
        return PyErr_Clear(); // no memory
    const auto deadline = clock::now() + std::chrono::seconds(1);
    while (gil_hold::raise_in_others(stay.ptr()) && clock::now() < deadline) {
        const gil_pause pause(gil_pause::known_held{});
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

// Python drops what the hook was registered with when all hooks have run, as the last thing before
// it ends threads that take the GIL: which must not go through C++ frames.
void after_all_hooks(PyObject*) {
    if (shared().exit_thread.load() != &this_thread())
        return;
    stop_those_inside();
    gil_hold::forget_others(shared());
    interpreter_entry::forget_all(shared());
}

} // namespace

void register_exit_hook() {
    const auto last = py::reinterpret_steal<py::object>(
        PyCapsule_New(&exit_method, "bridge.exit", &after_all_hooks));
    const auto hook = py::reinterpret_steal<py::object>(PyCFunction_New(&exit_method, nullptr));
    if (!last || !hook)
        throw py::error_already_set();
    py::module_::import("atexit").attr("register")(hook, last);
}

void stay_for_ever() noexcept {
    gil_hold::forget_this_thread();
    PyEval_SaveThread();
    for (;;)
        ::pause();
}

void refuse_at_exit() {
    if (shared().exit_thread.load() == &this_thread())
        throw_error(errc::interpreter_gone);
    // A daemon thread, which CPython stops wherever it is once it has gone on: it would only get to
    // see, and to print, an error that nobody can use.
    stay_for_ever();
}

bool is_interpreter_ending() {
    return interpreter_dict().contains(exited_key);
}

} // namespace bridge::detail
