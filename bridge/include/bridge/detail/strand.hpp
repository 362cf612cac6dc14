// SPDX-License-Identifier: Apache-2.0
// The serial executor's state: one handler at a time, born held by whoever made it.
#pragma once

#include <bridge/detail/frame.hpp>
#include <bridge/detail/holder_counted.hpp>
#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/io_context_of.hpp>
#include <bridge/detail/other_chains.hpp>
#include <bridge/detail/scheduler.hpp>
#include <bridge/detail/shared.hpp>
#include <bridge/task_locals.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace bridge::detail {

class crossing;

/// A place that one thread writes while others read it; a reader may see two places mixed.
class shared_place {
public:
    void store(const code_place& place) noexcept {
        function_.store(place.function, std::memory_order_relaxed);
        file_.store(place.file, std::memory_order_relaxed);
        line_.store(place.line, std::memory_order_relaxed);
    }

    code_place load() const noexcept {
        return {function_.load(std::memory_order_relaxed), file_.load(std::memory_order_relaxed),
                line_.load(std::memory_order_relaxed)};
    }

private:
    std::atomic<const char*> function_{nullptr};
    std::atomic<const char*> file_{nullptr};
    std::atomic<unsigned> line_{0};
};

/// A handler waiting for its turn. `run` consumes it: calls it, or only destroys it.
struct strand_task {
    strand_task* next = nullptr;
    void (*run)(strand_task* self, bool call) = nullptr;
};

/// Runs handlers one at a time on a scheduler. Free, or held by one thread; handlers that come
/// while it is held wait and run when it is left. Carries the locals and one opaque slot.
class strand : public holder_counted<strand> {
public:
    /// Held by the calling thread.
    strand(scheduler& on, task_locals locals, void* slot) noexcept
        : strand(&on, std::move(locals), slot) {}

    /// The same; without a scheduler it must get one before its first handler.
    strand(scheduler* on, task_locals locals, void* slot) noexcept
        : scheduler_(on), slot_(slot), locals_(std::move(locals)) {}

    scheduler& on() const noexcept { return *scheduler_; }

    bool has_scheduler() const noexcept { return static_cast<bool>(scheduler_); }

    void set_scheduler(scheduler& on) noexcept { scheduler_ = intrusive_ptr<scheduler>(&on); }

    const task_locals& locals() const noexcept { return locals_; }

    void set_locals(task_locals locals) noexcept { locals_ = std::move(locals); }

    void* slot() const noexcept { return slot_; }

    virtual crossing* as_crossing() noexcept { return nullptr; }

    /// Whether that thread of coroutines is its own: requests to stop go to it. Holds it.
    virtual bool is_own(chain_id) const noexcept { return true; }

    /// Whether that thread of coroutines may shut requests to stop out. Holds it.
    bool is_listened_to_by(chain_id chain) const noexcept;

    /// Whether what that thread of coroutines does about a request to stop is an answer to it: its
    /// own one does, one that works for that, and one that the request has reached. Holds it.
    bool is_answered_by(chain_id chain) const noexcept;

    /// Of its threads of coroutines that are not its own. Holds it.
    other_chains& others();

    /// The current exception leaves a coroutine. Holds it.
    void trace(std::exception_ptr exception, const code_place& place);

    /// True if it keeps the exception of a coroutine that this frame awaits. Holds it.
    virtual bool take_exception(const std::exception_ptr&, const void* /*awaiting*/) noexcept {
        return false;
    }

    /// The coroutines that this exception has left, or null. Holds it.
    std::unique_ptr<exception_trace> take_trace(const std::exception_ptr& exception) noexcept;

    /// A coroutine waits there from now on. Holds it.
    void note_suspension(const code_place& place) noexcept {
        trace_.reset(); // its exception went no further, or came here through a branch of its own
        note_await(place);
    }

    /// A coroutine of the user's awaits another one there. Holds it.
    void note_await(const code_place& place) noexcept {
        if (is_users(place))
            suspended_at_.store(place);
    }

    /// A coroutine saw an operation fail, or looked for a cancellation. Holds it.
    void note_answer() noexcept { answered_ = emitted_; }

    /// A coroutine shuts requests to stop out, which is an answer too, or lets them in. Holds it.
    void note_listening(bool listens) noexcept { listens_ = listens; }

    /// Where a coroutine of the user's last began to wait; no file where none did. Any thread.
    code_place suspended_at() const noexcept { return suspended_at_.load(); }

    /// The context of I/O objects that are made on it: one of the image that made the strand. Any
    /// thread, no GIL. Throws as io_context_of().
    virtual boost::asio::execution_context& io_context() const {
        return io_context_of(*scheduler_);
    }

    /// The strand whose handler runs on this thread, or null.
    static strand* current() noexcept { return this_thread().current; }

    /// Queues a handler; runs it on the scheduler in its turn.
    void post(strand_task* task) noexcept;

    /// Takes the strand for this thread if it is free.
    bool try_hold() noexcept {
        std::uintptr_t expected = is_free;
        return state_.compare_exchange_strong(expected, is_held, std::memory_order_acquire,
                                              std::memory_order_relaxed);
    }

    /// Gives the strand up; what waited runs on the scheduler.
    void leave() noexcept;

    /// Whether the caller, who holds it, has the only reference and no handler waits.
    bool is_mine_alone() const noexcept {
        return is_last_reference() && state_.load(std::memory_order_relaxed) == is_held;
    }

    /// Runs f as a handler of this strand, which this thread holds.
    template<class F>
    void run_held(F&& f) {
        const current_scope scope(this);
        f();
        check_gil_was_released();
    }

    /// Runs f as if no handler ran on this thread: inside it a loop of its own may run.
    template<class F>
    static void run_outside(F&& f) {
        const current_scope scope(nullptr);
        f();
    }

    /// Runs one task and then one batch of what waited, and gives the strand up. Holds it.
    /// Virtual: the strand's own module knows its current() on this thread.
    virtual void run_and_leave(strand_task* first) noexcept;

    /// Destroys what waits without running it; the scheduler has ended. In a forked child's copy
    /// only the task, which is the child's own: what waits is the parent's. Holds it.
    virtual void discard(strand_task* first) noexcept;

    /// How a held strand stands in its scheduler's queue.
    strand* next_ready = nullptr;

    /// There it keeps the task it begins with.
    void begin_with(strand_task* first) noexcept { put(first); }

    strand_task* take_first() noexcept { return static_cast<strand_task*>(take()); }

protected:
    virtual ~strand() = default;

    // How many requests to stop were emitted to its coroutines, and by how many of them there was
    // an answer. Holds it.
    unsigned emitted_ = 0;
    unsigned answered_ : 31 = 0;
    bool listens_ : 1 = true; // in one word with it

    /// Why nothing will resume its coroutines: what they waited for was destroyed.
    errc ended_as() const noexcept { return ended_as_.load(std::memory_order_relaxed); }

private:
    friend class holder_counted<strand>;
    friend class answering_for;

    chain_id whom_it_answers_for(chain_id worker) const noexcept;

    class current_scope {
    public:
        explicit current_scope(strand* now) noexcept
            : place_(this_thread().current), before_(std::exchange(place_, now)) {}

        current_scope(const current_scope&) = delete;
        current_scope& operator=(const current_scope&) = delete;

        ~current_scope() { place_ = before_; }

    private:
        strand*& place_; // the same at the end: the module may have joined others meanwhile
        strand* before_;
    };

    static void check_gil_was_released() noexcept;
    void destroy(strand_task* task) noexcept;
    strand_task* take_waiting() noexcept;

    // Otherwise the last of the waiting tasks, newest first.
    static constexpr std::uintptr_t is_free = 0;
    static constexpr std::uintptr_t is_held = 1;

    std::atomic<std::uintptr_t> state_{is_held};
    intrusive_ptr<scheduler> scheduler_;
    void* slot_;
    task_locals locals_;
    std::unique_ptr<exception_trace> trace_;
    [[no_unique_address]] shared_place suspended_at_;
    std::atomic<errc> ended_as_{errc::runtime_stopped}; // in one word with its line

protected:
    std::unique_ptr<other_chains> others_; // null: it never had any
};

} // namespace bridge::detail
