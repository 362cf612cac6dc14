// SPDX-License-Identifier: Apache-2.0
// A C++ coroutine as a Python awaitable.
#pragma once

#include <bridge/detail/crossing.hpp>
#include <bridge/runtime.hpp>

#include <boost/asio/awaitable.hpp>

#include <utility>

namespace bridge {
namespace detail {

/// What Python gets for a crossing.
/// GIL: required.
/// `name` may be null.
py::object make_lazy(intrusive_ptr<crossing> op, py::handle name);
py::object make_hot(intrusive_ptr<crossing> op, py::handle name);

/// `on` null: where choose_scheduler() says once it starts.
template<class T>
intrusive_ptr<crossing> make_crossing(scheduler* on, task_locals locals,
                                      boost::asio::awaitable<T> body, void* slot) {
    return intrusive_ptr<crossing>::adopt(
        new crossing_of<T>(on, std::move(locals), slot, std::move(body)));
}

} // namespace detail

template<class T>
py::object to_python(task_locals locals, boost::asio::awaitable<T> body);
template<class T>
py::object to_python_future(task_locals locals, boost::asio::awaitable<T> body);
template<class T>
py::object to_python(runtime& on, task_locals locals, boost::asio::awaitable<T> body);
template<class T>
py::object to_python_future(runtime& on, task_locals locals, boost::asio::awaitable<T> body);

/// A Python coroutine object that runs the C++ one once it is awaited (also by create_task, gather,
/// asyncio.run, ...), in the loop that awaits it: on that loop's own thread if the loop is a
/// same-thread one (new_event_loop), else on the default runtime.
/// Resumes: the body's first step runs inside the awaiting step, the GIL released; the rest on the
/// runtime's threads.
/// GIL: required.
/// Cancel: cancelling the awaiting task emits the body's cancellation signal and the task wakes
/// once the body has ended, by whatever the body ended with. Destroyed before it was awaited:
/// nothing ran, and Python warns; while it runs: as cancelled.
/// Throws: what Python throws if no memory is left. The body's exception arrives in Python as
/// to_python_exception says, a result that cannot be converted as TypeError.
template<class T>
py::object to_python(boost::asio::awaitable<T> body) {
    return to_python(task_locals(), std::move(body));
}

/// The same in the loop of the given locals.
template<class T>
py::object to_python(task_locals locals, boost::asio::awaitable<T> body) {
    return detail::make_lazy(
        detail::make_crossing(nullptr, std::move(locals), std::move(body), current_slot()), {});
}

/// The same on a runtime of one's own, in the loop of the given locals.
template<class T>
py::object to_python(runtime& on, task_locals locals, boost::asio::awaitable<T> body) {
    return detail::make_lazy(detail::make_crossing(&detail::scheduler_of(on), std::move(locals),
                                                   std::move(body), current_slot()),
                             {});
}

/// The hot form: an object like asyncio.Future, whose body has taken its first step when this
/// returns and goes on whether or not it is awaited, in the loop of current_locals(). A failure
/// that nobody retrieves goes to the loop's exception handler, as for asyncio.Future.
/// Resumes: the first step runs before this returns, the GIL released, unless its threads take it;
/// the rest on the runtime's threads.
/// GIL: required.
/// Cancel: its cancel(), or cancelling what awaits it, as for to_python.
/// Throws: no_event_loop as RuntimeError.
template<class T>
py::object to_python_future(boost::asio::awaitable<T> body) {
    return to_python_future(detail::handler_locals(), std::move(body));
}

/// The same in the loop of the given locals.
template<class T>
py::object to_python_future(task_locals locals, boost::asio::awaitable<T> body) {
    return detail::make_hot(
        detail::make_crossing(nullptr, std::move(locals), std::move(body), current_slot()), {});
}

/// The same on a runtime of one's own, in the loop of the given locals.
template<class T>
py::object to_python_future(runtime& on, task_locals locals, boost::asio::awaitable<T> body) {
    return detail::make_hot(detail::make_crossing(&detail::scheduler_of(on), std::move(locals),
                                                  std::move(body), current_slot()),
                            {});
}

} // namespace bridge
