// SPDX-License-Identifier: Apache-2.0
// The event loop and contextvars context that C++ code works for.
#pragma once

#include <bridge/detail/context.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/gil.hpp>
#include <bridge/py_ref.hpp>

#include <type_traits>
#include <utility>

namespace bridge {

class task_locals;

namespace detail {

port& port_of(const task_locals& locals) noexcept;
context_scope enter(const task_locals& locals);

} // namespace detail

/// An event loop and a contextvars context. Copied and destroyed anywhere without the GIL; carried
/// by the executor of every crossing and inherited by what is spawned on it.
class task_locals {
public:
    task_locals() noexcept = default;

    /// A loop, with a copy of the calling thread's context.
    /// GIL: required.
    /// Throws: loop_closed.
    explicit task_locals(const py::object& loop);

    /// A loop and a context of one's own choice.
    /// GIL: required.
    /// Throws: loop_closed.
    task_locals(const py::object& loop, py::object context);

    /// The loop running on this thread and a copy of its current context.
    /// GIL: required.
    /// Throws: no_event_loop.
    static task_locals with_running_loop();

    /// The same loop with a copy of the calling thread's context.
    /// GIL: required.
    task_locals copy_context() const;

    explicit operator bool() const noexcept { return static_cast<bool>(state_); }

    /// The loop, which locals do not keep alive.
    /// GIL: required.
    /// Throws: loop_closed if it was collected.
    py::object event_loop() const;

    /// The context.
    /// GIL: required.
    py::object context() const { return state_->context.get(); }

private:
    friend detail::port& detail::port_of(const task_locals& locals) noexcept;
    friend detail::context_scope detail::enter(const task_locals& locals);

    struct state : detail::reference_counted<state> {
        bool copied = false; // the context, which therefore is nobody else's
        std::atomic_flag inside;
        py_ref context;
        detail::intrusive_ptr<detail::port> port;
    };

    detail::intrusive_ptr<state> state_;
};

/// The locals of the handler that runs on this thread, else those of its running loop.
/// GIL: taken for the latter.
/// Throws: no_event_loop, whose text names the ways out.
task_locals current_locals();

namespace detail {

/// Where native threads reach the loop of the locals, which must have one.
/// GIL: not needed.
inline port& port_of(const task_locals& locals) noexcept {
    return *locals.state_->port;
}

/// Enters the context of the locals, which must outlive the scope.
/// GIL: held throughout.
inline context_scope enter(const task_locals& locals) {
    return {locals.context(), locals.state_->copied ? &locals.state_->inside : nullptr};
}

/// The locals of the handler that runs on this thread; empty if it has none yet.
/// GIL: not needed.
task_locals handler_locals() noexcept;

} // namespace detail

/// with_gil in the context of the locals: Python code that f calls sees its context variables. What
/// it sets there is seen by later calls with the same locals, and not by the task that awaits.
template<class F>
auto with_python(const task_locals& locals, F&& f) -> std::invoke_result_t<F> {
    return with_gil([&] {
        const auto inside = detail::enter(locals);
        return std::forward<F>(f)();
    });
}

/// The same with the locals of the handler that runs here; with_gil if it has none.
template<class F>
auto with_python(F&& f) -> std::invoke_result_t<F> {
    const auto locals = detail::handler_locals();
    return locals ? with_python(locals, std::forward<F>(f)) : with_gil(std::forward<F>(f));
}

} // namespace bridge
