// SPDX-License-Identifier: Apache-2.0
// Coroutine frames that know where they wait, so that tracebacks and warnings can say it. With
// launch.hpp the only user of asio::detail (docs/decisions/0005-frames.md).
#pragma once

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/memory.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace bridge::detail {

class strand;

/// A coroutine function and a line of it. The texts are the compiler's own and never die.
struct code_place {
    const char* function = nullptr;
    const char* file = nullptr;
    unsigned line = 0;
};

/// What Asio knows of each coroutine's frame.
using coroutine_frame = boost::asio::detail::awaitable_frame_base<boost::asio::any_io_executor>;

/// The coroutines that an exception has left, the innermost first.
struct exception_trace {
    std::exception_ptr exception;
    std::vector<code_place> places;
};

/// Whether it is a coroutine of the user's. What Boost.Asio and the bridge put between these says
/// nothing to them. Cheap for files that this thread has asked about before.
bool is_users(const code_place& place) noexcept;

/// Notes that the current exception leaves a coroutine of the handler that runs here. True if
/// `caller`, which awaits that coroutine, has taken it: then it need not be thrown again.
bool trace_exception(const code_place& place, const void* caller) noexcept;

/// Notes that the handler that runs here ends waiting there.
void note_suspension(const code_place& place) noexcept;

/// The same for an operation, which ends with the call of end_wait() with what this gives; null:
/// nobody wants to know. The frame is the coroutine's, whose callers wait too.
void* begin_wait(const code_place& place, const coroutine_frame& frame) noexcept;
void end_wait(void* wait) noexcept;

/// Notes that a coroutine of the handler that runs here awaits another one there.
void note_await(const code_place& place, const coroutine_frame& frame) noexcept;

/// Notes that this coroutine of the handler that runs here sees an operation fail: what it does
/// about a cancellation from here on is its answer. Not if it is of another thread of coroutines,
/// as those that || and && begin, that the request has not reached: another one may have ended it.
void note_answer(const coroutine_frame& frame) noexcept;

/// Notes that this coroutine of the handler that runs here lets requests to stop in, or shuts them
/// out. Not if it is of another thread of coroutines.
void note_listening(const coroutine_frame& frame, bool listens) noexcept;

/// What names a thread of coroutines: the same from its launch to its end.
using chain_id = const void*;

/// Of this coroutine, which runs.
chain_id chain_of(const coroutine_frame& frame) noexcept;

/// co_await of it gives the thread of the coroutine that asks.
struct this_chain_t {};

inline constexpr this_chain_t this_chain;

/// While it lives, what one thread of coroutines answers is an answer of the other's, which waits
/// for it and no other; whether it listens is its own affair. Made and destroyed in handlers of
/// `on`, which both of them have; does nothing if that is not of a strand.
class answering_for {
public:
    using executor_type = boost::asio::any_io_executor;

    answering_for(const executor_type& on, chain_id worker, chain_id caller);
    answering_for(const answering_for&) = delete;
    answering_for& operator=(const answering_for&) = delete;
    ~answering_for();

private:
    friend class strand;

    intrusive_ptr<strand> in_;
    bool listened_ = true;
    chain_id worker_;
    chain_id caller_;
    answering_for* next_ = nullptr;
};

/// What a co_await says about that; empty if it says nothing.
template<class Operation>
inline constexpr std::optional<bool> listens_after = std::nullopt;
template<>
inline constexpr std::optional<bool>
    listens_after<boost::asio::this_coro::reset_cancellation_state_0_t> = true;
template<class Filter>
inline constexpr std::optional<bool>
    listens_after<boost::asio::this_coro::reset_cancellation_state_1_t<Filter>> =
        !std::is_same_v<std::decay_t<Filter>, boost::asio::disable_cancellation>;
template<class In, class Out>
inline constexpr std::optional<bool>
    listens_after<boost::asio::this_coro::reset_cancellation_state_2_t<In, Out>> =
        !std::is_same_v<std::decay_t<In>, boost::asio::disable_cancellation>;

template<class T>
constexpr bool is_failure(const T&) noexcept {
    return false;
}

inline bool is_failure(const boost::system::error_code& code) noexcept {
    return code.failed();
}

inline bool is_failure(const std::exception_ptr& error) noexcept {
    return error != nullptr;
}

// What as_tuple makes of an operation's result.
template<class First, class... Rest>
bool is_failure(const std::tuple<First, Rest...>& results) noexcept {
    return is_failure(std::get<0>(results));
}

template<class F>
decltype(auto) noting_exception(const coroutine_frame& frame, F&& f) {
    try {
        return std::forward<F>(f)();
    } catch (...) {
        note_answer(frame);
        throw;
    }
}

/// Notes an answer where an exception passes, without catching it: that would cost a throw more.
struct note_unless_ended {
    const coroutine_frame& frame;
    bool ended = false;

    ~note_unless_ended() {
        if (!ended)
            note_answer(frame);
    }
};

/// What an awaited operation ended with.
template<class Awaiter>
decltype(auto) noting_failure(const coroutine_frame& frame, Awaiter& awaiter) {
    using result_type = decltype(awaiter.await_resume());
    note_unless_ended noting{frame};
    if constexpr (std::is_void_v<result_type>) {
        awaiter.await_resume();
        noting.ended = true;
    } else {
        result_type result = awaiter.await_resume();
        noting.ended = !is_failure(result);
        return static_cast<result_type>(std::forward<result_type>(result));
    }
}

/// asio's promise in memory of ours: asio keeps it only on threads that are in an io_context, and
/// gets it by aligned_alloc, which is slow.
template<class T>
class pooled_frame : public boost::asio::detail::awaitable_frame<T, boost::asio::any_io_executor> {
protected:
    using executor_type = boost::asio::any_io_executor;
    using frame = boost::asio::detail::awaitable_frame<T, executor_type>;

private:
    template<class U>
    struct inner {
        boost::asio::awaitable<U, executor_type> awaited;

        bool await_ready() const noexcept { return awaited.await_ready(); }

        // asio takes the handle by its own promise's type.
        template<class Promise>
        void await_suspend(std::coroutine_handle<Promise> caller) {
            awaited.await_suspend(std::coroutine_handle<frame>::from_promise(caller.promise()));
        }

        U await_resume() { return awaited.await_resume(); }
    };

public:
    static void* operator new(std::size_t size) { return take_memory(size); }

    static void operator delete(void* memory, std::size_t size) noexcept {
        give_memory(memory, size);
    }

    template<class U>
    inner<U> await_transform(boost::asio::awaitable<U, executor_type> awaited) {
        return {frame::await_transform(std::move(awaited))};
    }
};

/// Where a coroutine is.
struct kept_place : code_place {
    void move_to(unsigned new_line) noexcept { line = new_line; }
};

/// The same of the coroutine by which Asio's use_awaitable waits for an operation: nobody wants to
/// see it, and there is one for each operation that waits.
struct asios_place {
    static constexpr code_place where{"", "/boost/asio/", 0};

    asios_place& operator=(const code_place&) noexcept { return *this; }

    void move_to(unsigned) noexcept {}

    operator const code_place&() const noexcept { return where; }
};

/// The same, which also notes the line of each co_await and how it ended.
template<class T, class Place = kept_place>
class traced_frame : public pooled_frame<T> {
    using base = pooled_frame<T>;
    using typename base::executor_type;

protected:
    using typename base::frame;

private:
    // Not so what only asks the coroutine for something, as this_coro::executor does.
    template<class Operation>
    static constexpr bool suspends =
        boost::asio::is_async_operation<std::decay_t<Operation>>::value ||
        std::is_invocable_v<Operation, boost::asio::detail::awaitable_frame_base<executor_type>*>;

    template<class Operation>
    static constexpr bool asks_for_cancellation =
        std::is_same_v<std::decay_t<Operation>, boost::asio::this_coro::cancellation_state_t>;

    template<class Awaiter>
    struct noted {
        Awaiter awaiter;
        const coroutine_frame& frame;

        bool await_ready() const noexcept { return awaiter.await_ready(); }

        template<class Promise>
        void await_suspend(std::coroutine_handle<Promise> caller) {
            awaiter.await_suspend(caller);
        }

        decltype(auto) await_resume() { return noting_failure(frame, awaiter); }
    };

    // As long as an operation is awaited. Not up to await_resume(): a frame may be destroyed in the
    // middle of it.
    class noted_wait {
    public:
        explicit noted_wait(void* wait) noexcept : wait_(wait) {}

        noted_wait(const noted_wait&) = delete;
        noted_wait& operator=(const noted_wait&) = delete;

        ~noted_wait() {
            if (wait_ != nullptr)
                end_wait(wait_);
        }

    private:
        void* wait_;
    };

    template<class Awaiter>
    struct waiting {
        noted_wait wait;
        noted<Awaiter> operation;

        bool await_ready() const noexcept { return operation.await_ready(); }

        template<class Promise>
        void await_suspend(std::coroutine_handle<Promise> caller) {
            operation.await_suspend(caller);
        }

        decltype(auto) await_resume() { return operation.await_resume(); }
    };

public:
    boost::asio::awaitable<T, executor_type>
    get_return_object(const char* function = __builtin_FUNCTION(),
                      const char* file = __builtin_FILE(),
                      unsigned line = __builtin_LINE()) noexcept {
        place_ = {code_place{function, file, line}};
        return frame::get_return_object();
    }

    void unhandled_exception() {
        if (!trace_exception(place_, this->caller_))
            frame::unhandled_exception();
    }

    template<class U>
    auto await_transform(boost::asio::awaitable<U, executor_type> awaited,
                         unsigned line = __builtin_LINE()) {
        place_.move_to(line);
        note_await(place_, *this);
        using awaiter = decltype(base::await_transform(std::move(awaited)));
        return noted<awaiter>{
            noting_exception(*this, [&] { return base::await_transform(std::move(awaited)); }),
            *this};
    }

    auto await_transform(this_chain_t) noexcept {
        struct known {
            chain_id chain;

            bool await_ready() const noexcept { return true; }

            void await_suspend(std::coroutine_handle<>) const noexcept {}

            chain_id await_resume() const noexcept { return chain; }
        };

        return known{chain_of(*this)};
    }

    template<class Operation>
    auto await_transform(Operation&& operation, unsigned line = __builtin_LINE()) {
        place_.move_to(line);
        const auto transform = [&] {
            return frame::await_transform(std::forward<Operation>(operation));
        };
        if constexpr (suspends<Operation>) {
            return waiting<decltype(transform())>{noted_wait(begin_wait(place_, *this)),
                                                  {noting_exception(*this, transform), *this}};
        } else {
            if constexpr (asks_for_cancellation<Operation>)
                note_answer(*this); // whoever looks for a request has seen it
            if constexpr (listens_after<std::decay_t<Operation>>.has_value())
                note_listening(*this, *listens_after<std::decay_t<Operation>>);
            return transform();
        }
    }

protected:
    void note_waiting(unsigned line) noexcept {
        place_.move_to(line);
        note_suspension(place_);
    }

private:
    [[no_unique_address]] Place place_;
};

template<class T>
inline constexpr bool is_traced =
    !std::is_same_v<T, boost::asio::detail::awaitable_thread_entry_point>;

} // namespace bridge::detail

template<class T, class Initiation, class... Arguments>

requires(!std::is_reference_v<Initiation>) struct std::coroutine_traits<
    boost::asio::awaitable<T, boost::asio::any_io_executor>, Initiation,
    boost::asio::use_awaitable_t<boost::asio::any_io_executor>, Arguments...> {
    using promise_type = bridge::detail::traced_frame<T, bridge::detail::asios_place>;
};

template<class T, class... Arguments>
requires bridge::detail::is_traced<T>

struct std::coroutine_traits<boost::asio::awaitable<T, boost::asio::any_io_executor>,
                             Arguments...> {
    using promise_type = bridge::detail::traced_frame<T>;
};
