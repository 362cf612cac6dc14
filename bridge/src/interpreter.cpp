// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/interpreter.hpp>

#include <bridge/error.hpp>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

namespace bridge::detail {
namespace {

struct released {
    released* next;
    PyObject* object;
};

std::atomic<released*> dropped{nullptr};

int drop_from_pending_call(void*) {
    drop_released_references();
    return 0;
}

// Immortal: exit hooks may be added by code that runs while statics are destroyed.
std::vector<void (*)()>& exit_hooks() {
    static auto& hooks = *new std::vector<void (*)()>;
    return hooks;
}

bool attached = false;
constexpr const char* exited_key = "bridge.exited";

py::dict interpreter_dict() {
    return py::reinterpret_borrow<py::dict>(PyInterpreterState_GetDict(PyInterpreterState_Get()));
}

// Those inside may be waiting for the GIL; the bound keeps exit from hanging on user code.
void close_interpreter_gate() noexcept {
    PyThreadState* saved = PyEval_SaveThread();
    interpreter_gate.close(std::chrono::steady_clock::now() + std::chrono::seconds(2));
    PyEval_RestoreThread(saved);
}

// It may release and take the GIL as long as the interpreter ends.
thread_local bool is_exit_thread = false;

PyObject* run_exit_hooks(PyObject*, PyObject*) {
    is_exit_thread = true;
    auto& hooks = exit_hooks();
    while (!hooks.empty()) {
        auto hook = hooks.back();
        hooks.pop_back();
        hook();
    }
    drop_released_references();
    close_interpreter_gate();
    // A later exit hook of somebody else must not open the gate of a dying interpreter again.
    PyDict_SetItemString(PyInterpreterState_GetDict(PyInterpreterState_Get()), exited_key, Py_True);
    attached = false;
    Py_RETURN_NONE;
}

PyMethodDef exit_method = {"bridge_exit", run_exit_hooks, METH_NOARGS, nullptr};

} // namespace

void restore_thread(PyThreadState* saved) noexcept {
    const gate_guard inside(interpreter_gate);
    while (!inside && !is_exit_thread)
        ::pause();
    PyEval_RestoreThread(saved);
}

void abort_without_gil(const char* who) noexcept {
    std::fprintf(stderr,
                 "bridge: %s needs the GIL, which this thread does not hold; call it inside "
                 "bridge::with_gil\n",
                 who);
    std::abort();
}

void release_reference(PyObject* object) noexcept {
    const gate_guard inside(interpreter_gate);
    if (!inside)
        return; // the interpreter owned the object; there is nothing left to give back to
    if (holds_gil()) {
        Py_DECREF(object);
        return;
    }
    auto* node = new (std::nothrow) released{nullptr, object};
    if (node == nullptr)
        return; // a leaked reference is better than an exception in a destructor
    auto* before = dropped.load(std::memory_order_relaxed);
    do
        node->next = before;
    while (!dropped.compare_exchange_weak(before, node, std::memory_order_release,
                                          std::memory_order_relaxed));
    // One pending call a batch; when CPython's queue is full a drain or the next batch does it.
    if (before == nullptr)
        Py_AddPendingCall(&drop_from_pending_call, nullptr);
}

void drop_released_references() noexcept {
    if (dropped.load(std::memory_order_relaxed) == nullptr)
        return;
    auto* node = dropped.exchange(nullptr, std::memory_order_acquire);
    while (node != nullptr) {
        auto* next = node->next;
        Py_DECREF(node->object);
        delete node;
        node = next;
    }
}

void at_interpreter_exit(void (*hook)()) {
    exit_hooks().push_back(hook);
}

void attach_interpreter() {
    if (attached)
        return;
    const auto marks = interpreter_dict();
    if (marks.contains(exited_key))
        throw_error(errc::interpreter_gone);
    auto hook = py::reinterpret_steal<py::object>(PyCFunction_New(&exit_method, nullptr));
    py::module_::import("atexit").attr("register")(hook);
    interpreter_gate.open();
    attached = true;
}

} // namespace bridge::detail
