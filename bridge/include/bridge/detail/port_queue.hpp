// SPDX-License-Identifier: Apache-2.0
// The queue of a port: many threads put in, one takes out. It knows nothing of Python.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bridge::detail {

/// What native threads put into a port; embedded in what it announces, so that posting does not
/// allocate. Delivered on the loop thread, GIL held; `alive` is false if the loop has ended.
struct port_node {
    port_node* next = nullptr;
    void (*deliver)(port_node* self, bool alive) noexcept = nullptr;
};

/// A lock-free queue with one reader. It delivers a budget at a time, so that completions cannot
/// starve a loop's timers and sockets, and refuses what comes once it is closed.
class port_queue {
public:
    enum class pushed {
        first,   ///< it was empty: the reader has to be woken
        behind,  ///< the reader will see it: somebody woke it already
        refused, ///< the queue is closed: nothing was queued
    };

    /// Any thread, never blocks.
    pushed push(port_node* node) noexcept {
        auto* head = head_.load(std::memory_order_relaxed);
        do {
            if (head == closed_mark())
                return pushed::refused;
            node->next = head;
            // Sequentially consistent: before it sleeps, a host looks here after it said so.
        } while (!head_.compare_exchange_weak(head, node, std::memory_order_seq_cst,
                                              std::memory_order_relaxed));
        // The node may be delivered and gone by now.
        return head == nullptr ? pushed::first : pushed::behind;
    }

    /// Any thread.
    bool is_open() const noexcept { return head_.load(std::memory_order_acquire) != closed_mark(); }

    /// Whether there is something to deliver. Reader.
    bool has_arrivals() const noexcept {
        const auto* head = head_.load(std::memory_order_seq_cst);
        return undelivered_ != nullptr || (head != nullptr && head != closed_mark());
    }

    /// Delivers what has come, oldest first, until the budget or the time is used up. How many.
    /// What is delivered may push, and may close the queue. Reader.
    std::uint64_t deliver(std::chrono::steady_clock::time_point deadline) noexcept;

    /// Refuses what comes from here on; what has come is left to deliver_as_dead(). False if it was
    /// closed before. Reader.
    bool close() noexcept;

    /// The same in a forked child, where what has come is the parent's: it stays where it is.
    void close_copy() noexcept { head_.store(closed_mark(), std::memory_order_release); }

    /// Delivers what is left with `alive` false. Reader, closed only.
    void deliver_as_dead() noexcept;

    /// How many wait. Nobody may take meanwhile.
    std::size_t size() const noexcept;

private:
    // The head of a closed queue: the same value in every module of the process.
    static port_node* closed_mark() noexcept {
        return reinterpret_cast<port_node*>(std::uintptr_t{1});
    }

    port_node* take_arrivals() noexcept;

    std::atomic<port_node*> head_{nullptr}; // newest first
    port_node* undelivered_ = nullptr;      // what a budget left, oldest first
};

} // namespace bridge::detail
