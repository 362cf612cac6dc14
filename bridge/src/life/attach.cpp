// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/attach.hpp>

#include "life/join.hpp"
#include "python/exit.hpp"

#include <bridge/detail/python.hpp>
#include <bridge/detail/shared.hpp>

#include <mutex>
#include <stdexcept>

namespace bridge::detail {

void require_main_interpreter() {
    if (PyInterpreterState_Get() != PyInterpreterState_Main())
        throw std::runtime_error(
            "bridge: this is a sub-interpreter, where C++ coroutines cannot be awaited; use the "
            "main interpreter, or a process of its own for each");
}

// Before Python 3.12 the C part of asyncio outlives an interpreter in which anything of it leaked,
// as work in flight at the end does, and would use what has died with that; the rest of asyncio
// works without it.
void leave_stale_asyncio() {
#if PY_VERSION_HEX < 0x030C0000
    if (shared().interpreter_life == 0)
        return;
    const auto modules = py::reinterpret_borrow<py::dict>(PyImport_GetModuleDict());
    const bool imported = modules.contains("asyncio");
    const auto c_part = py::reinterpret_steal<py::object>(PyImport_ImportModule("_asyncio"));
    PyErr_Clear(); // left out already
    const auto weak_set = py::module_::import("weakref").attr("WeakSet");
    if (!c_part || py::isinstance(c_part.attr("_all_tasks"), weak_set))
        return;
    if (imported)
        throw std::runtime_error(
            "bridge: asyncio still has state of the interpreter that ended in this process, a flaw "
            "of Python before 3.12; start Python with bridge::interpreter, or use the bridge "
            "before asyncio is imported");
    modules["_asyncio"] = py::none();
#endif
}

void attach_interpreter() {
    if (interpreter_gate().is_open())
        return;
    require_main_interpreter();
    if (is_interpreter_ending())
        refuse_at_exit();
    static python_mutex own; // several threads of this image
    const std::lock_guard alone(own);
    if (interpreter_gate().is_open())
        return;
    join_shared_state();
    leave_stale_asyncio();
    const std::lock_guard lock(shared().attach_mutex);
    if (interpreter_gate().is_open())
        return; // another image did the rest
    shared().exit_thread = nullptr;
    register_exit_hook();
    ++shared().interpreter_life;
    shared().interpreter_ended = false;
    shared().all = nullptr; // an earlier life's
    interpreter_gate().open();
}

} // namespace bridge::detail
