// SPDX-License-Identifier: Apache-2.0
// The ports of the interpreter, by their loops.
#include <bridge/detail/port.hpp>

#include "python/exit.hpp"
#include "python/imports.hpp"

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/detail/steal_or_throw.hpp>
#include <bridge/error.hpp>

#include <mutex>

namespace bridge::detail {
namespace {

constexpr const char* capsule_name = "bridge.port";

// What was looked for last: most programs have one loop. Without a GIL each thread has its own,
// which keeps the port, as another thread may close it.
#ifdef Py_GIL_DISABLED
thread_local intrusive_ptr<port> last_port;

port* last_used(py::handle loop) noexcept {
    return last_port && last_port->is_of(loop) ? last_port.get() : nullptr;
}

void note_last_used(port& found) noexcept {
    last_port = intrusive_ptr<port>(&found);
}

void forget_last_used(port& closed) noexcept {
    if (last_port.get() == &closed)
        last_port = {};
}
#else
port* last_used(py::handle loop) {
    const auto& last = get_imports().last_port;
    return last.loop == loop.ptr() ? last.its_port : nullptr;
}

void note_last_used(port& found) {
    get_imports().last_port = {found.loop().ptr(), &found};
}

void forget_last_used(port& closed) {
    if (auto& last = get_imports().last_port; last.its_port == &closed)
        last = {};
}
#endif

} // namespace

intrusive_ptr<port> port::of(py::handle loop) {
    if (auto found = find(loop))
        return found;
    if (is_interpreter_ending())
        refuse_at_exit();
    auto made = intrusive_ptr<port>::adopt(new port(loop, nullptr));
    made->attach();
    made->enter_table();
    return made;
}

intrusive_ptr<port> port::make(py::handle loop, port_host& host) {
    auto made = intrusive_ptr<port>::adopt(new port(loop, &host));
    made->enter_table();
    return made;
}

PyMethodDef port::gone_method = {"bridge_loop_gone", &port::on_loop_gone, METH_O, nullptr};

py::object port::new_key(py::handle loop) {
    const auto callback = steal_or_throw(PyCFunction_New(&gone_method, nullptr));
    return steal_or_throw(PyWeakref_NewRef(loop.ptr(), callback.ptr()));
}

// Of a loop whose port is open only the garbage collector calls this, and before any finalizer:
// that of a Task may come before the loop's, which closes it.
PyObject* port::on_loop_gone(PyObject*, PyObject* reference) noexcept {
    auto* all = shared().all.load();
    if (all == nullptr)
        Py_RETURN_NONE;
    if (const auto its = find_by_key(*all, reference))
        its->members().silence();
    call_python([&] { PyDict_DelItem(all->descriptors.ptr(), reference); });
    PyErr_Clear();
    Py_RETURN_NONE;
}

void port::enter_table() {
    {
        const std::lock_guard lock(shared().port_table_mutex);
        get_imports().ports[key_] = py::capsule(this, capsule_name);
        retain(); // the table's reference, given back in leave_table()
    }
    note_last_used(*this);
    enter_list();
}

intrusive_ptr<port> port::find(py::handle loop) {
    if (auto* last = last_used(loop))
        return intrusive_ptr<port>(last);
    auto found = find_or_copy(loop);
    if (!found)
        return {};
    if (!found->is_open())
        throw_error(errc::forked); // closed ones leave the table
    note_last_used(*found);
    return found;
}

intrusive_ptr<port> port::find_or_copy(py::handle loop) {
    const auto key = steal_or_throw(PyWeakref_NewRef(loop.ptr(), nullptr));
    return find_by_key(get_imports(), key);
}

intrusive_ptr<port> port::find_by_key(const imports& in, py::handle key) {
    const std::lock_guard lock(shared().port_table_mutex);
    auto* capsule = PyDict_GetItemWithError(in.ports.ptr(), key.ptr());
    if (capsule == nullptr && PyErr_Occurred() != nullptr)
        throw py::error_already_set();
    return intrusive_ptr<port>(capsule != nullptr
                                   ? static_cast<port*>(PyCapsule_GetPointer(capsule, capsule_name))
                                   : nullptr);
}

void port::leave_table() noexcept {
    leave_list();
    forget_last_used(*this);
    call_python([this] { // the lock inside: a thread that stays does not keep it
        const std::lock_guard lock(shared().port_table_mutex);
        if (PyDict_DelItem(get_imports().ports.ptr(), key_) == 0)
            release();
    });
    PyErr_Clear();
    Py_CLEAR(key_);
}

void port::close_all() noexcept {
    if (free_threaded) {
        for (const auto& one : all_open())
            one->close_at_exit();
        return;
    }
    const auto ports = py::reinterpret_steal<py::list>(PyDict_Values(get_imports().ports.ptr()));
    for (const auto& item : ports) {
        static_cast<port*>(PyCapsule_GetPointer(item.ptr(), capsule_name))->close_at_exit();
    }
}

} // namespace bridge::detail
