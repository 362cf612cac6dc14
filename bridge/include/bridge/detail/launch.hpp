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
#include <optional>
#include <type_traits>
#include <utility>

namespace bridge::detail {

namespace asio_detail = boost::asio::detail;

using entry_point = asio_detail::awaitable_thread_entry_point;
using entry_awaitable = boost::asio::awaitable<entry_point>;
using coroutine_thread = asio_detail::awaitable_thread<boost::asio::any_io_executor>;

// GCC before 15.3 (bug 121961) touches a frame after its await_suspend, when suspend_to has given
// it away, if the coroutine began when it was called. These begin suspended.
static_assert(std::is_same_v<decltype(std::declval<coroutine_frame&>().initial_suspend()),
                             std::suspend_always>,
              "this Boost.Asio begins coroutines when they are called; the bridge needs one that "
              "begins them suspended");

/// The parameter by which an entry coroutine is known as one.
struct entry_tag {};

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

/// A thread of coroutines that has not begun.
class coroutine_start {
public:
    coroutine_start(entry_awaitable entry, strand* on, boost::asio::cancellation_slot slot)
        : thread_(std::move(entry), uncounted_executor(on).get(), slot,
                  boost::asio::cancellation_state(slot)) {}

    chain_id id() noexcept { return thread_.entry_point(); }

    /// Runs the first step; only as a handler of the executor.
    void run() { thread_.launch(); }

private:
    coroutine_thread thread_;
};

} // namespace bridge::detail

template<class... Arguments>
struct std::coroutine_traits<bridge::detail::entry_awaitable, bridge::detail::entry_tag,
                             Arguments...> {
    using promise_type = bridge::detail::pooled_frame<bridge::detail::entry_point>;
};
