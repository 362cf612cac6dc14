// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/references.hpp>

#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <new>

namespace bridge::detail {

struct released_reference {
    released_reference* next;
    PyObject* object;
    bool unstarted;
};

namespace {

int drop_from_pending_call(void*) {
    drop_released_references();
    return 0;
}

void drop(PyObject* object, bool unstarted) noexcept {
    if (unstarted)
        close_unstarted(object, 1);
    call_python([object] { Py_DECREF(object); });
}

void release(PyObject* object, bool unstarted) noexcept {
    if (interpreter_gate().is_open() && holds_gil()) // it does not end before this thread lets go
        return drop(object, unstarted);
    const gate_guard inside(interpreter_gate());
    if (!inside)
        return; // the interpreter owned the object; there is nothing left to give back to
    auto* node = new (std::nothrow) released_reference{nullptr, object, unstarted};
    if (node == nullptr)
        return; // a leaked reference is better than an exception in a destructor
    auto& dropped = shared().released;
    auto* before = dropped.load(std::memory_order_relaxed);
    do
        node->next = before;
    while (!dropped.compare_exchange_weak(before, node, std::memory_order_release,
                                          std::memory_order_relaxed));
    // One pending call a batch; when CPython's queue is full a drain or the next batch does it.
    if (before == nullptr)
        Py_AddPendingCall(&drop_from_pending_call, nullptr);
}

} // namespace

void abort_without_gil(const char* who) noexcept {
    std::fprintf(stderr,
                 "bridge: %s needs the GIL, which this thread does not hold; call it inside "
                 "bridge::with_gil\n",
                 who);
    std::abort();
}

void watch_references(const reference_watcher* watcher) noexcept {
    shared().references_watcher.store(watcher, std::memory_order_release);
}

void release_reference(PyObject* object) noexcept {
    release(object, false);
}

void close_unstarted(PyObject* awaitable, Py_ssize_t owned) noexcept {
    if (Py_REFCNT(awaitable) > owned ||
        !(PyCoro_CheckExact(awaitable) ||
          Py_IS_TYPE(awaitable, shared().all.load()->coroutine_type)))
        return;
    const py::error_scope keep_set_error;
    const auto closed = py::reinterpret_steal<py::object>(call_python([awaitable] {
        return PyObject_CallMethodNoArgs(awaitable, shared().all.load()->name.close.ptr());
    }));
    if (!closed)
        PyErr_WriteUnraisable(awaitable);
}

void release_unstarted(PyObject* awaitable) noexcept {
    if (awaitable != nullptr)
        release(awaitable, true);
}

void drop_released_references() noexcept {
    auto& dropped = shared().released;
    if (dropped.load(std::memory_order_relaxed) == nullptr)
        return;
    auto* node = dropped.exchange(nullptr, std::memory_order_acquire);
    while (node != nullptr) {
        auto* next = node->next;
        drop(node->object, node->unstarted);
        delete node;
        node = next;
    }
}

void restore_thread(PyThreadState* saved, std::uint32_t life) noexcept {
    const gate_guard inside(interpreter_gate());
    const auto& now = shared();
    // Before the first life there is nothing to tell one from the next.
    while ((life != 0 && life != now.interpreter_life) ||
           (!inside && now.interpreter_ended && now.exit_thread != &this_thread()))
        ::pause();
    call_python([saved] { PyEval_RestoreThread(saved); });
}

void restore_thread(PyThreadState* saved, std::uint32_t life, gate& entered) noexcept {
    while (life != shared().interpreter_life || entered.was_given_up())
        ::pause();
    call_python([saved] { PyEval_RestoreThread(saved); });
    entered.leave_guarded();
}

} // namespace bridge::detail
