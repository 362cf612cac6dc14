// SPDX-License-Identifier: Apache-2.0
#include <bridge/task_locals.hpp>

#include "python/imports.hpp"

#include <bridge/detail/steal_or_throw.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/error.hpp>
#include <bridge/gil.hpp>

namespace bridge {
namespace {

py::object copy_current_context() {
    auto context = detail::steal_or_throw(PyContext_CopyCurrent());
    return context;
}

} // namespace

task_locals::task_locals(const py::object& loop) : task_locals(loop, copy_current_context()) {
    state_->copied = true;
}

task_locals::task_locals(const py::object& loop, py::object context)
    : state_(detail::intrusive_ptr<state>::adopt(new state)) {
    state_->port = detail::port::of(loop);
    state_->context = py_ref(std::move(context));
}

task_locals task_locals::with_running_loop() {
    detail::require_main_interpreter();
    if (const auto* running = detail::this_thread().running_port) {
        if (!running->loop()) // it was closed: the interpreter ends, and the loop runs on
            detail::throw_error(errc::loop_closed);
        return task_locals(py::reinterpret_borrow<py::object>(running->loop()));
    }
    const auto loop = detail::get_imports().get_running_loop();
    if (loop.is_none())
        detail::throw_error(errc::no_event_loop);
    return task_locals(loop);
}

py::object task_locals::event_loop() const {
    auto loop = state_->port->find_loop();
    if (!loop)
        detail::throw_error(errc::loop_closed);
    return loop;
}

task_locals task_locals::copy_context() const {
    return task_locals(event_loop());
}

task_locals current_locals() {
    auto* strand = detail::strand::current();
    if (strand != nullptr && strand->locals())
        return strand->locals();
    if (!detail::interpreter_gate().is_open() && Py_IsInitialized() == 0)
        detail::throw_error(errc::interpreter_gone);
    auto locals = with_gil([] { return task_locals::with_running_loop(); });
    if (strand != nullptr)
        strand->set_locals(
            locals); // a first step on the loop thread: the same for all that follows
    return locals;
}

task_locals detail::handler_locals() noexcept {
    const auto* strand = strand::current();
    return strand != nullptr ? strand->locals() : task_locals();
}

} // namespace bridge
