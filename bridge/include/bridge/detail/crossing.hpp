// SPDX-License-Identifier: Apache-2.0
// A C++ coroutine that Python awaits: result, queue node, cancellation and strand in one block.
#pragma once

#include <bridge/detail/choose_scheduler.hpp>
#include <bridge/detail/launch.hpp>
#include <bridge/detail/memory.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/detail/strand.hpp>
#include <bridge/error.hpp>
#include <bridge/python_error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace bridge::detail {

class awaiting;
struct coroutine_object;

struct cancel_task : strand_task {};

/// A step that is on its way to the strand, or what it tells the loop, which comes after that.
struct crossing_nodes {
    crossing_nodes() noexcept : first() {}

    union {
        strand_task first;
        port_node news;
    };
};

/// Held by the Python object and, while it runs, by its own coroutine's executor.
class crossing : public strand,
                 public pooled,
                 protected entry_frame,
                 protected crossing_nodes,
                 protected cancel_task { // emits its cancellation signal
public:
    crossing(scheduler* on, task_locals locals, void* slot) noexcept
        : strand(on, std::move(locals), slot), entry_frame(&begin_entry, &destroy_entry) {
        cancel_task::run = &run_cancel;
    }

    /// Runs the coroutine's first step. The strand is held by this thread, the GIL is not.
    virtual void start() = 0;

    /// The same as a handler of the strand, which its scheduler runs.
    void start_there() noexcept;

    /// Takes the strand for that step: it was born held.
    bool take_for_start() noexcept { return std::exchange(born_held_, false) || try_hold(); }

    /// Whether Python may ask it to go on after it has taken a result, and what it was called with
    /// has to stay.
    virtual bool goes_rounds() const noexcept { return false; }

    /// Between two rounds: no request to stop is left. Loop thread.
    void forget_requests() noexcept { requests_.store(0, std::memory_order_release); }

    py::handle kept() const noexcept { return kept_.handle(); }

    /// The result as a new reference, or null with the Python error set. Once, after finished().
    /// Requires the GIL.
    virtual PyObject* take_result() = 0;

    /// Gives it what choose_scheduler() says, in the image whose coroutine it is. Requires the GIL.
    virtual void choose_own_scheduler() { set_scheduler(choose_scheduler(locals())); }

    /// Keeps a Python object alive for as long as the coroutine may use it.
    void keep_alive(py_ref object) noexcept { kept_ = std::move(object); }

    /// Requires the GIL.
    void drop_kept() noexcept { Py_XDECREF(kept_.release()); }

    /// Asks the coroutine to stop: emits its cancellation signal in its turn. Loop thread or any.
    void request_cancel() noexcept;

    /// Gives back Python's reference. Loop thread, or any if it is not under way.
    void drop() noexcept;

    /// Whether there was a request that the coroutine has not answered: it was still on its way
    /// when the coroutine ended, or found no operation that it could end. After delivery.
    bool cancel_unseen() const noexcept {
        return requests_.load(std::memory_order_acquire) != answered_at_end_;
    }

    /// The same before the coroutine has ended. As its handler.
    bool cancel_unanswered() const noexcept {
        return requests_.load(std::memory_order_acquire) != answered_;
    }

    /// Whether there was a request. After delivery.
    bool cancel_requested() const noexcept {
        return requests_.load(std::memory_order_acquire) != 0;
    }

    /// Readable by the thread that holds the strand, and on the loop thread after delivery.
    bool finished() const noexcept { return finished_; }

    /// A Python awaitable that the coroutine waits for and its awaiting task is to run; same rule.
    awaiting* waits_for() const noexcept { return delegation_; }

    /// Called by the coroutine itself, as a handler of the strand.
    void delegate(awaiting& to) noexcept;
    void finish() noexcept;

    bool may_delegate(chain_id asking) const noexcept {
        return asking == id() && driven_by_task_.load(std::memory_order_relaxed);
    }

    /// The Python side. Loop thread.
    void set_object(coroutine_object* object) noexcept {
        const std::lock_guard lock(object_mutex_);
        object_ = object;
    }

    /// The same, owned; null if another thread drops the last reference to it.
    py::object keep_object() noexcept;

    coroutine_object* object() const noexcept { return object_; }

    crossing* as_crossing() noexcept override { return this; }

    bool is_own(chain_id chain) const noexcept override { return chain == id(); }

    void set_driven_by_task(bool driven) noexcept {
        driven_by_task_.store(driven, std::memory_order_relaxed);
    }

    awaiting* take_delegation() noexcept { return std::exchange(delegation_, nullptr); }

    void begin_inline() noexcept { inline_ = true; }

    void fail_to_start() noexcept; ///< the runtime has ended

    /// Something that the coroutine began is to end before its own end is told. As its handler.
    void hold_end() noexcept { ends_left_.fetch_add(1, std::memory_order_relaxed); }

    /// That has ended, or the coroutine itself: the last one tells it. Any thread.
    void end_one() noexcept {
        if (ends_left_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            announce();
    }

    /// Whether it has ended and may not tell it yet. Before its own end_one().
    bool awaits_others() const noexcept { return ends_left_.load(std::memory_order_acquire) > 1; }

    /// From here on the coroutine announces itself through the port of its locals.
    void end_inline() noexcept {
        inline_ = false;
        leave();
    }

protected:
    ~crossing() override = default;

    /// Whether it is the frame by which it was launched.
    bool is_entry(const void* frame) const noexcept { return frame == id(); }

    void launch() { entry_frame::launch(this, cancellation_); }

    /// Awaits the body with the step; false if there is none. As its handler, as what follows.
    virtual bool await_body(step then) = 0;

    /// The body has ended: keeps how, and destroys its frame.
    virtual void end_body() noexcept = 0;

    /// Nothing will resume it: destroys its frame where it waits.
    virtual void drop_body() noexcept = 0;

    /// Goes on for one more result. As its handler.
    void begin_round() noexcept {
        finished_ = false;
        emitted_ = answered_ = 0;
        ends_left_.store(1, std::memory_order_relaxed);
    }

    std::exception_ptr error_;
    std::unique_ptr<exception_trace> error_trace_;

private:
    void announce() noexcept;
    static crossing& of_node(void* node) noexcept;
    static crossing& of_entry(void* frame) noexcept;
    static void begin_entry(void* frame) noexcept;
    static void end_entry(void* frame) noexcept;
    static void destroy_entry(void* frame) noexcept;
    static void deliver_completion(port_node* self, bool alive) noexcept;
    static void run_cancel(strand_task* self, bool call);
    static void run_start(strand_task* self, bool call);

    cancellation_place cancellation_;
    [[no_unique_address]] python_mutex object_mutex_;
    coroutine_object* object_ = nullptr; // borrowed; loop thread
    awaiting* delegation_ = nullptr;
    py_ref kept_;
    std::atomic<int> ends_left_{1}; // its own, and what it has to wait for
    std::atomic<unsigned> requests_{0};
    unsigned answered_at_end_ = 0;
    std::atomic<bool> cancel_queued_{false};
    std::atomic<bool> news_queued_{false};
    std::atomic<bool> driven_by_task_{false};
    bool inline_ = false;
    bool finished_ = false;
    bool started_there_ = false;
    bool born_held_ = true; // loop thread
};

/// Sets the Python error for a failed crossing; its traceback shows the coroutines of the trace,
/// which may be null. Requires the GIL.
void set_crossing_error(const std::exception_ptr& error,
                        const exception_trace* trace = nullptr) noexcept;

/// A C++ value as a new reference; null with the Python error set if it cannot be converted.
template<class T>
PyObject* convert_result(T&& value) {
    if constexpr (std::is_same_v<std::remove_cvref_t<T>, py_ref>) {
        if (!value)
            return Py_NewRef(Py_None);
        return value.release();
    } else {
        return py::cast(std::forward<T>(value)).release().ptr();
    }
}

template<class T>
class crossing_of final : public crossing {
    static_assert(
        !needs_gil<T>,
        "a coroutine that Python awaits ends without the GIL, where a pybind11 object may "
        "not live: return bridge::py_ref instead");
    static_assert(needs_gil<T> || !(is_borrowed<T> || std::is_pointer_v<T>),
                  "the result of a coroutine that Python awaits is converted when the coroutine "
                  "has ended, and what it views or points to may be gone: return a value or a "
                  "std::shared_ptr");

public:
    crossing_of(scheduler* on, task_locals locals, void* slot, boost::asio::awaitable<T> body)
        : crossing(on, std::move(locals), slot), body_(std::move(body)) {}

    void start() override { launch(); }

    bool take_exception(const std::exception_ptr& error, const void* awaiting) noexcept override {
        if (!is_entry(awaiting))
            return false;
        error_ = error;
        return true;
    }

    PyObject* take_result() override {
        try {
            // As a task that is cancelled right before it ends: the request must not be lost.
            if (!error_ && cancel_unseen())
                error_ = std::make_exception_ptr(
                    boost::system::system_error(boost::asio::error::operation_aborted));
            if (!error_) {
                if constexpr (std::is_void_v<T>)
                    return Py_NewRef(Py_None);
                else
                    return convert_result<T>(std::move(*value_));
            }
        } catch (...) {
            error_ = std::current_exception();
        }
        // Not kept: its traceback may lead back here, past what the garbage collector sees.
        const auto trace = std::move(error_trace_);
        set_crossing_error(std::exchange(error_, nullptr), trace.get());
        return nullptr;
    }

protected:
    bool await_body(step then) override { return await(body_, then); }

    void end_body() noexcept override {
        try {
            if (!error_)
                keep_value();
        } catch (...) {
            error_ = std::current_exception();
        }
        const auto gone = std::move(body_); // Boost.Asio's assignment would leak the frame
    }

    void drop_body() noexcept override {
        const auto gone = std::move(body_);
        if (!error_)
            error_ =
                std::make_exception_ptr(boost::system::system_error(make_error_code(ended_as())));
    }

private:
    using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    void keep_value() {
        if constexpr (std::is_void_v<T>) {
            body_.await_resume();
            value_.emplace();
        } else {
            value_.emplace(body_.await_resume());
        }
    }

    std::optional<value_type> value_;
    boost::asio::awaitable<T> body_;
};

} // namespace bridge::detail
