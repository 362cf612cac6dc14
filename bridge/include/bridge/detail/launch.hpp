// SPDX-License-Identifier: Apache-2.0
// How coroutines are started and suspended. With frame.hpp, the only file that uses asio::detail.
// co_spawn with an executor that carries locals costs twice the time and memory of this
// (docs/decisions/0002-launch.md).
#pragma once

#include <bridge/detail/frame.hpp>
#include <bridge/executor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <coroutine>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace bridge::detail {

namespace asio_detail = boost::asio::detail;

using entry_point = asio_detail::awaitable_thread_entry_point;
using coroutine_thread = asio_detail::awaitable_thread<boost::asio::any_io_executor>;

// GCC before 15.3 (bug 121961) touches a frame after its await_suspend, when suspend_to has given
// it away, if the coroutine began when it was called. These begin suspended.
static_assert(std::is_same_v<decltype(std::declval<coroutine_frame&>().initial_suspend()),
                             std::suspend_always>,
              "this Boost.Asio begins coroutines when they are called; the bridge needs one that "
              "begins them suspended");

/// Where a thread of coroutines goes on, which Asio tells its own handlers only.
struct top_of_stack {
    friend constexpr auto member(top_of_stack) noexcept;
};

template<class Name, auto Member>
struct exposed_frame {
    friend constexpr auto member(Name) noexcept { return Member; }
};

template struct exposed_frame<
    top_of_stack,
    &asio_detail::awaitable_frame<entry_point, boost::asio::any_io_executor>::top_of_stack_>;

/// A suspended thread of coroutines, owned. Destroying it unresumed unwinds it through its
/// executor.
class suspended : private coroutine_thread {
public:
    explicit suspended(coroutine_thread* running) : coroutine_thread(std::move(*running)) {}

    suspended(suspended&&) = default;

    /// Continues the coroutine here and now; only as a handler of its executor.
    void resume() {
        disconnect_cancellation();
        // As Asio's own handlers do it. Not launch(): from Boost 1.90 on what co_spawn started and
        // ends inside of it is completed later, so that an || loses a value that has been taken.
        (entry_point()->*member(top_of_stack{}))->attach_thread(this);
        pump();
    }

    /// What asked it to stop was answered: it listens anew.
    void forget_cancellation() {
        if (get_cancellation_state().cancelled() != boost::asio::cancellation_type::none)
            reset_cancellation_state();
    }

    /// Calls f, which resumes it, as a handler of its executor. That is held until it was posted:
    /// once it is resumed the coroutine may end, and with it the last work of its context, which
    /// its owner then destroys.
    template<class F>
    void post(F f) {
        const auto on =
            boost::asio::prefer(get_executor(), boost::asio::execution::outstanding_work.tracked);
        boost::asio::post(on, std::move(f));
    }

    using coroutine_thread::get_cancellation_slot;
    using coroutine_thread::get_executor;

    chain_id id() noexcept { return entry_point(); }

private:
    struct nothing {
        void operator()(boost::asio::cancellation_type) const noexcept {}
    };

    // The slot's memory stays for what is awaited next: to clear it gives that back, which outside
    // of a context's run() nobody keeps.
    void disconnect_cancellation() {
        if (auto slot = get_cancellation_slot(); slot.has_handler())
            slot.emplace<nothing>();
    }
};

/// Its strand's threads have ended: the coroutine ends where it waits, and with it the frame that
/// `waiting` is in. In a forked child that is the parent's, and stays.
inline void end_unresumed(const strand& on, std::optional<suspended>& waiting) {
    if (!on.on().is_parents_copy())
        const auto ends = std::exchange(waiting, std::nullopt);
}

/// Suspends the awaiting coroutine and then calls f(suspended), which may resume it elsewhere at
/// once. f must not throw.
template<class F>
auto suspend_to(F& f) {
    return [&f](coroutine_frame* frame) -> coroutine_thread* {
        f(suspended(frame->detach_thread()));
        return nullptr;
    };
}

/// An executor that counts no reference to its strand: asio makes its own copy.
class uncounted_executor {
public:
    explicit uncounted_executor(strand* on) noexcept
        : executor_(executor_of(intrusive_ptr<strand>::adopt(on))) {}

    uncounted_executor(const uncounted_executor&) = delete;
    uncounted_executor& operator=(const uncounted_executor&) = delete;

    ~uncounted_executor() {} // gives none back

    const boost::asio::any_io_executor& get() const noexcept { return executor_; }

private:
    union {
        boost::asio::any_io_executor executor_;
    };
};

/// Where Asio keeps what a thread of coroutines knows of its cancellation: beside its entry, and
/// not in memory of its own, unless that of a newer Asio is larger.
class cancellation_place {
public:
    cancellation_place() noexcept = default;
    cancellation_place(const cancellation_place&) = delete;
    cancellation_place& operator=(const cancellation_place&) = delete;

    ~cancellation_place() {
        if (use_ != nullptr)
            use_(memory_, nullptr);
    }

    void emit(boost::asio::cancellation_type type) {
        if (use_ != nullptr && !signal_.slot().has_handler())
            use_(memory_, &type);
        else
            signal_.emit(type);
    }

    boost::asio::cancellation_state make_state() {
        return boost::asio::cancellation_state(first_slot{*this});
    }

    /// Where the states are that this_coro::reset_cancellation_state makes instead.
    boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }

private:
    // As much of a slot as boost::asio::cancellation_state needs.
    struct first_slot {
        cancellation_place& in;

        bool is_connected() const noexcept { return true; }

        template<class State>
        State& emplace() const {
            if constexpr (sizeof(State) <= sizeof memory_ && alignof(State) <= alignof(void*)) {
                in.use_ = &use<State>;
                return *new (in.memory_) State();
            } else {
                return in.signal_.slot().template emplace<State>();
            }
        }
    };

    // Tells it of a request, or destroys it.
    template<class State>
    static void use(void* memory, const boost::asio::cancellation_type* type) {
        auto* state = static_cast<State*>(memory);
        if (type != nullptr)
            (*state)(*type);
        else
            state->~State();
    }

    boost::asio::cancellation_signal signal_;
    void (*use_)(void* memory, const boost::asio::cancellation_type* type) = nullptr;
    alignas(void*) std::byte memory_[2 * sizeof(void*)];
};

/// The bottom of a thread of coroutines, as a part of its owner: no coroutine, but laid out as the
/// frame of one, as that of std::noop_coroutine() is in libstdc++ (docs/decisions/0002-launch.md).
class entry_frame {
public:
    /// It is resumed, or destroyed.
    using step = void (*)(void* frame);

    entry_frame(step first, step destroy) noexcept : resume_(first), destroy_(destroy) {}

    entry_frame(const entry_frame&) = delete;
    entry_frame& operator=(const entry_frame&) = delete;

    ~entry_frame() {} // destroy_ has given back what Asio's part held

protected:
    /// Runs until it waits; only as a handler of the strand. Takes a reference to that, which
    /// is given back by whoever is told to destroy the frame.
    void launch(strand* on, cancellation_place& cancellation) {
        const auto state = cancellation.make_state(); // may throw, while nothing is owed yet
        auto* made = std::construct_at(&promise_);
        coroutine_thread thread(made->get_return_object(), uncounted_executor(on).get(),
                                cancellation.slot(), state);
        thread.launch();
    }

    /// Awaits the coroutine, whose end is the next step's; false if there is none.
    template<class T>
    bool await(boost::asio::awaitable<T>& body, step then) {
        if (!body.valid())
            return false;
        resume_ = then;
        body.await_suspend(std::coroutine_handle<promise>::from_promise(promise_));
        return true;
    }

    /// It is over, and is destroyed next.
    void end() noexcept {
        resume_ = nullptr;
        promise_.pop_frame();
    }

    bool has_ended() const noexcept { return resume_ == nullptr; }

    chain_id id() const noexcept { return &promise_; }

private:
    using promise = asio_detail::awaitable_frame<entry_point, boost::asio::any_io_executor>;

    // The compiler reads them by types of its own.
    using compilers_step [[gnu::may_alias]] = step;
    compilers_step resume_;
    [[maybe_unused]] compilers_step destroy_;

    union {
        promise promise_; // while it runs
    };
};

} // namespace bridge::detail
