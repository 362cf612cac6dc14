// SPDX-License-Identifier: Apache-2.0
// Keeps something alive for those who are using it, and tells newcomers when it is gone.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

namespace bridge::detail {

/// Whether process_fence() works in this process.
bool has_process_fence() noexcept;

/// A barrier in every thread of the process: what each has stored is seen by this one, and what
/// this one has stored by each that goes on. Nothing if it does not work.
void process_fence() noexcept;

/// A door that closes behind those inside: a check of it cannot be outdated by the time it is used.
class gate {
public:
    constexpr explicit gate(bool open) noexcept : state_(open ? open_bit : 0) {}

    /// True: inside, until leave(). False: it is closed.
    bool enter() noexcept {
        if ((state_.fetch_add(1, std::memory_order_acquire) & open_bit) != 0)
            return true;
        leave();
        return false;
    }

    void leave() noexcept { state_.fetch_sub(1, std::memory_order_release); }

    /// The same under a lock that guards this gate, for less: one thread at a time enters and
    /// leaves so. Without has_process_fence() refuse() has to be called under it, before close().
    bool enter_guarded() noexcept {
        guarded_.store(guarded_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst); // the processor's is close()'s
        if (is_open())
            return true;
        leave_guarded();
        return false;
    }

    void leave_guarded() noexcept {
        guarded_.store(guarded_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    }

    bool is_open() const noexcept {
        return (state_.load(std::memory_order_acquire) & open_bit) != 0;
    }

    void open() noexcept {
        guarded_.store(0, std::memory_order_relaxed); // they never left when it was closed
        given_up_.store(false, std::memory_order_relaxed);
        state_.fetch_or(open_bit, std::memory_order_acq_rel);
    }

    /// Refuses newcomers from here on.
    void refuse() noexcept { state_.fetch_and(~open_bit, std::memory_order_acq_rel); }

    /// Refuses newcomers and waits for those inside; false if some did not leave in time.
    bool close(std::chrono::steady_clock::time_point deadline) noexcept {
        refuse();
        process_fence(); // who comes under the lock has been counted, or sees that it is closed
        while (!is_empty()) {
            if (std::chrono::steady_clock::now() > deadline) {
                given_up_.store(true, std::memory_order_release);
                return false;
            }
            std::this_thread::yield();
        }
        return true;
    }

    /// Whether close() did not wait until all had left.
    bool was_given_up() const noexcept { return given_up_.load(std::memory_order_acquire); }

private:
    bool is_empty() const noexcept {
        return state_.load(std::memory_order_acquire) == 0 &&
               guarded_.load(std::memory_order_acquire) == 0;
    }

    static constexpr std::uint32_t open_bit = 0x80000000U;
    std::atomic<std::uint32_t> state_;
    std::atomic<std::uint32_t> guarded_{0};
    std::atomic<bool> given_up_{false};
};

/// A stay inside a gate.
class gate_guard {
public:
    explicit gate_guard(gate& of) noexcept : gate_(of.enter() ? &of : nullptr) {}

    /// `guarded`: it begins and ends under the lock that guards the gate.
    gate_guard(gate& of, bool guarded) noexcept
        : guarded_(guarded), gate_((guarded ? of.enter_guarded() : of.enter()) ? &of : nullptr) {}

    gate_guard(const gate_guard&) = delete;
    gate_guard& operator=(const gate_guard&) = delete;

    ~gate_guard() { leave(); }

    void leave() noexcept {
        if (auto* const left = std::exchange(gate_, nullptr); left != nullptr)
            guarded_ ? left->leave_guarded() : left->leave();
    }

    explicit operator bool() const noexcept { return gate_ != nullptr; }

private:
    const bool guarded_ = false;
    gate* gate_;
};

} // namespace bridge::detail
