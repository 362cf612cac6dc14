// SPDX-License-Identifier: Apache-2.0
// A C++ coroutine that yields, as a Python async generator.
#pragma once

#include <bridge/detail/generator_crossing.hpp>
#include <bridge/runtime.hpp>

#include <boost/asio/awaitable.hpp>

#include <type_traits>
#include <utility>

namespace bridge {

template<class T, class S>
class generator;

namespace detail {

/// A promise that yields into its crossing.
template<class T, class S>
class generator_frame : public traced_frame<void> {
    using base = traced_frame<void>;
    using crossing_type = generator_crossing_of<T, S>;

    template<class Awaiter>
    struct yielding {
        Awaiter awaiter;
        crossing_type* into;
        const coroutine_frame& frame;

        bool await_ready() const noexcept { return false; }

        template<class Promise>
        void await_suspend(std::coroutine_handle<Promise> caller) {
            awaiter.await_suspend(caller);
        }

        decltype(auto) await_resume() {
            return noting_exception(frame,
                                    [this]() -> decltype(auto) { return into->take_sent(); });
        }
    };

public:
    generator<T, S> get_return_object(const char* function = __builtin_FUNCTION(),
                                      const char* file = __builtin_FILE(),
                                      unsigned line = __builtin_LINE()) noexcept {
        return {base::get_return_object(function, file, line), this};
    }

    auto yield_value(T item, unsigned line = __builtin_LINE()) {
        into_->put(std::move(item));
        note_waiting(line);
        using awaiter = decltype(frame::await_transform(suspend_to(*into_)));
        return yielding<awaiter>{frame::await_transform(suspend_to(*into_)), into_, *this};
    }

    void yield_into(crossing_type& into) noexcept { into_ = &into; }

private:
    crossing_type* into_ = nullptr;
};

/// What Python gets for a generator. Requires the GIL. `name` may be null.
py::object make_generator(intrusive_ptr<generator_crossing> op, py::handle name);

} // namespace detail

/// A coroutine that yields values of type T to Python, and co_awaits what any awaitable does. It
/// runs when Python asks for an item, and only then.
/// `co_yield value` gives what Python sends: std::optional<S>, empty where it just iterates;
/// nothing where S is void. It throws what Python throws into the generator (athrow), as
/// python_error, and where that is closed (aclose) operation_aborted: then the coroutine ends,
/// awaiting what its clean-up needs. An operation that it awaits is cancelled where the task that
/// asks is; a coroutine that answers that by a co_yield goes on as before.
template<class T, class S = void>
class [[nodiscard]] generator {
public:
    using promise_type = detail::generator_frame<T, S>;

    generator(generator&&) noexcept = default;
    generator& operator=(generator&&) noexcept = default;

private:
    friend promise_type;
    friend class detail::generator_crossing_of<T, S>;

    generator(boost::asio::awaitable<void> body, promise_type* frame) noexcept
        : body_(std::move(body)), frame_(frame) {}

    boost::asio::awaitable<void> body_;
    promise_type* frame_;
};

namespace detail {

template<class T, class S>
generator_crossing_of<T, S>::generator_crossing_of(scheduler* on, task_locals locals, void* slot,
                                                   generator<T, S> body)
    : generator_crossing(on, std::move(locals), slot), body_(std::move(body.body_)) {
    if (body_.valid())
        body.frame_->yield_into(*this);
}

template<class T, class S>
intrusive_ptr<generator_crossing> make_generator_crossing(scheduler* on, task_locals locals,
                                                          generator<T, S> body, void* slot) {
    return intrusive_ptr<generator_crossing>::adopt(
        new generator_crossing_of<T, S>(on, std::move(locals), slot, std::move(body)));
}

} // namespace detail

/// A Python async generator (collections.abc.AsyncGenerator) that runs the C++ one: asend, athrow,
/// aclose, the event loop's hooks and the garbage collector treat it as one of Python's. Requires
/// the GIL.
/// Resumes: each step begins inside the asking task's step, as of to_python().
/// Cancel: cancelling the asking task cancels what the body awaits; the task wakes when the body
/// has yielded or ended.
/// Destroyed before its end: the loop awaits its aclose().
/// Throws: what Python throws where no memory is left. The body's exception arrives in Python as
/// to_python_exception says.
template<class T, class S>
py::object to_python(generator<T, S> body) {
    return detail::make_generator(
        detail::make_generator_crossing(nullptr, task_locals(), std::move(body), current_slot()),
        {});
}

/// The same on a runtime of one's own, in the loop of the given locals.
template<class T, class S>
py::object to_python(runtime& on, task_locals locals, generator<T, S> body) {
    return detail::make_generator(detail::make_generator_crossing(&detail::scheduler_of(on),
                                                                  std::move(locals),
                                                                  std::move(body), current_slot()),
                                  {});
}

} // namespace bridge
