// SPDX-License-Identifier: Apache-2.0
// A Python async iterable that C++ consumes: what the consumer and the pump on the loop's thread
// share. The pump (src/crossing/stream_pump.hpp) puts items into a ring and never waits for the
// consumer with the loop; the consumer takes them without the GIL.
#pragma once

#include <bridge/detail/call_python.hpp>
#include <bridge/detail/ownership.hpp>
#include <bridge/detail/port.hpp>
#include <bridge/detail/stream_wait.hpp>
#include <bridge/error.hpp>
#include <bridge/py_ref.hpp>
#include <bridge/python_error.hpp>
#include <bridge/task_locals.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace bridge::detail {

class crossing;
struct stream_pump;

class stream_state {
public:
    stream_state(task_locals locals, py_ref iterable, std::size_t buffer) noexcept;
    stream_state(const stream_state&) = delete;
    stream_state& operator=(const stream_state&) = delete;

    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

    // The consumer: one coroutine at a time, on any thread, without the GIL.

    /// Begins to read ahead, where there is a buffer.
    void begin() noexcept;

    /// For the time of one next(), or of one close(); the other one is refused.
    class turn {
    public:
        turn(std::atomic<bool>& taken, const char* refusal);
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;

        ~turn() { taken_.store(false, std::memory_order_release); }

    private:
        std::atomic<bool>& taken_;
    };

    /// Throws std::logic_error where another next() is pending.
    turn take_asking_turn();

    /// Throws std::logic_error where another close() is pending.
    turn take_closing_turn();

    /// Whether the ring holds all items that will ever come.
    bool has_ended() const noexcept { return ended_.load(std::memory_order_acquire); }

    /// Throws why no item comes any more, once. After has_ended().
    void rethrow_error() {
        if (error_)
            std::rethrow_exception(std::exchange(error_, nullptr));
    }

    /// Throws loop_closed, interpreter_gone or forked where nothing will be heard from the loop.
    void check_loop() const;

    /// Where next() waits, and until when.
    stream_wait wait_for_item() noexcept { return {*this, asker_, &is_asker_answered}; }

    /// Asks for the end: what is buffered is dropped, a pending next() ends, the iterator is
    /// closed. With a deadline for who waits for that. Throws as check_loop().
    void ask_to_close(std::optional<std::chrono::milliseconds> deadline = std::nullopt);

    bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }

    stream_wait wait_for_end() noexcept { return {*this, closer_, &is_closer_answered}; }

    /// Throws what the clean-up threw, once. After is_closed().
    void rethrow_close_error() {
        if (close_error_)
            std::rethrow_exception(std::exchange(close_error_, nullptr));
    }

    /// The consumer is gone. The crossing that it belonged to, if it did, ends after the iterator.
    void drop() noexcept;

    // The pump: loop thread, GIL held.

    /// Whether another item is wanted now.
    bool has_room() const noexcept;

    /// From here on the consumer says when it wants more, or the end; false where it already does.
    bool pause() noexcept;

    bool is_closing() const noexcept { return closing_.load(std::memory_order_acquire); }

    /// Converts the item and puts it into the ring; throws where it cannot be converted.
    virtual void put(PyObject* item) = 0;

    /// How many items there were.
    std::size_t count() const noexcept { return tail_.load(std::memory_order_relaxed); }

    /// Whether the consumer waits for an item on another thread than the loop's.
    bool is_awaited_elsewhere() const noexcept {
        return asker_.load(std::memory_order_relaxed) != nullptr &&
               port_of(locals_).host() == nullptr;
    }

    /// Wakes the consumer, where it waits and there is an item for it.
    void flush() noexcept;

    /// No item comes any more, and why if not because there are none.
    void end(std::exception_ptr error) noexcept;

    /// The iterator is closed, or never will be.
    void close(std::exception_ptr error) noexcept;

    /// close() has taken too long: whoever waits for it waits no more.
    void give_up_waiting(std::exception_ptr error) noexcept;

    /// When close() was asked for since the last call: how long it may take.
    std::optional<std::chrono::milliseconds> take_deadline() noexcept;

    const task_locals& locals() const noexcept { return locals_; }

    py::handle iterable() const noexcept { return iterable_.handle(); }

    stream_pump* pump() const noexcept { return pump_; }

    void set_pump(stream_pump* pump) noexcept { pump_ = pump; }

protected:
    virtual ~stream_state();

    /// Where the ring has room for the next item; for the pump.
    std::size_t next_free() const noexcept { return tail_.load(std::memory_order_relaxed); }

    void note_put() noexcept { tail_.store(next_free() + 1, std::memory_order_release); }

    /// Where the next item is, for the consumer; false where there is none.
    bool has_item(std::size_t& at) noexcept {
        at = head_.load(std::memory_order_relaxed);
        if (at == known_tail_)
            known_tail_ = tail_.load(std::memory_order_acquire);
        return at != known_tail_;
    }

    void forget(std::size_t at) noexcept { head_.store(at + 1, std::memory_order_release); }

    void note_taken(std::size_t at) noexcept {
        forget(at);
        if (known_tail_ - (at + 1) <= low_)
            ask_for_more(at + 1);
    }

    std::size_t most_items() const noexcept { return std::max<std::size_t>(buffer_, 1); }

private:
    struct node : port_node {
        stream_state* owner = nullptr;
    };

    static bool is_asker_answered(stream_state& self);
    static bool is_closer_answered(stream_state& self);
    static void deliver_poke(port_node* self, bool alive) noexcept;
    bool poke() noexcept;
    void wake_asker() noexcept;
    void poked() noexcept;
    void ask_for_more(std::size_t taken) noexcept;
    std::size_t size() const noexcept;

    bool is_asked() const noexcept { return asker_.load(std::memory_order_acquire) != nullptr; }

    void check_process(const std::atomic<bool>& taken) const;
    errc refusal() const noexcept;
    void fail(errc why) noexcept;
    void settle_drop(bool alive) noexcept;
    void let_crossing_end() noexcept;

    std::atomic<int> references_{1};
    const std::size_t buffer_;
    const std::size_t low_; // where the consumer asks for more
    const long process_;
    task_locals locals_;
    py_ref iterable_;
    node poke_;
    std::atomic<bool> poke_queued_{false};
    std::atomic<std::int64_t> deadline_asked_{-1}; // milliseconds
    std::atomic<crossing*> ends_before_{nullptr};  // owned: its end waits for this
    std::atomic<bool> asking_{false};
    std::atomic<bool> asking_to_close_{false};
    std::atomic<bool> closing_{false};
    std::atomic<bool> dropped_{false};
    std::atomic<bool> ended_{false};  // error_ is the consumer's
    std::atomic<bool> closed_{false}; // close_error_ is the consumer's
    std::exception_ptr error_;
    std::exception_ptr close_error_;
    stream_wait::place closer_{nullptr};
    stream_pump* pump_ = nullptr; // owned; loop thread
    bool begun_ = false;          // loop thread
    bool drop_is_known_ = false;  // loop thread

    alignas(64) std::atomic<std::size_t> head_{0}; // the consumer's
    std::size_t known_tail_ = 0;
    alignas(64) std::atomic<std::size_t> tail_{0}; // the pump's
    alignas(64) stream_wait::place asker_{nullptr};
    std::atomic<bool> paused_{true};
};

/// Throws the TypeError for an item that is not a T. GIL held.
[[noreturn]] void throw_item_error(py::handle item, std::size_t number, const std::string& wanted);

template<class T>
class stream_state_of final : public stream_state {
    static_assert(!std::is_void_v<T> && !std::is_reference_v<T>,
                  "to_cpp_stream: an item is a value: use to_cpp_stream<bridge::py_ref> to take "
                  "items as they are");
    static_assert(!needs_gil<T>,
                  "to_cpp_stream: the consumer does not hold the GIL, without which a pybind11 "
                  "object must not be touched: use to_cpp_stream<bridge::py_ref>");
    static_assert(!is_borrowed<T>, "to_cpp_stream: an item would be a view of a Python object that "
                                   "is gone when the consumer sees it: use std::string or "
                                   "std::vector");

public:
    stream_state_of(task_locals locals, py_ref iterable, std::size_t buffer)
        : stream_state(std::move(locals), std::move(iterable), buffer),
          mask_(std::bit_ceil(most_items()) - 1), slots_(new slot[mask_ + 1]) {}

    ~stream_state_of() override {
        for (std::size_t at = 0; has_item(at); forget(at))
            item_at(at)->~T();
    }

    /// The next item that is there already. The consumer.
    std::optional<T> take() noexcept(std::is_nothrow_move_constructible_v<T>) {
        std::size_t at = 0;
        if (!has_item(at))
            return std::nullopt;
        auto* item = item_at(at);
        std::optional<T> taken(std::move(*item));
        item->~T();
        note_taken(at);
        return taken;
    }

    void put(PyObject* item) override {
        ::new (slots_[next_free() & mask_].memory) T(cast(item));
        note_put();
    }

private:
    struct slot {
        alignas(T) std::byte memory[sizeof(T)];
    };

    T* item_at(std::size_t at) noexcept {
        return std::launder(reinterpret_cast<T*>(slots_[at & mask_].memory));
    }

    T cast(PyObject* item) {
        if constexpr (std::is_same_v<T, py_ref>) {
            return py_ref(py::reinterpret_borrow<py::object>(item));
        } else {
            try {
                return call_python([item] { return py::handle(item).cast<T>(); });
            } catch (const py::cast_error&) {
                throw_item_error(item, count(), py::type_id<T>());
            }
        }
    }

    const std::size_t mask_;
    const std::unique_ptr<slot[]> slots_;
};

} // namespace bridge::detail
