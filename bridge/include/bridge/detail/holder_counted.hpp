// SPDX-License-Identifier: Apache-2.0
// Counting references that, for the most part, one thread at a time takes and gives back.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <utility>

namespace bridge::detail {

/// What tells this thread from all others that run, for less than a thread-local variable.
inline void* thread_mark() noexcept {
#if __has_builtin(__builtin_thread_pointer)
    return __builtin_thread_pointer();
#else
    return reinterpret_cast<void*>(pthread_self());
#endif
}

/// As reference_counted, for a T that one thread at a time holds. An operation that locks costs as
/// much as twenty others, and an Asio operation copies its executor a dozen times: the holder
/// counts by itself what it takes and gives, and tells it once, at its end. Until then it has a
/// stock of references, so that others never see fewer than there are.
template<class T>
class holder_counted {
public:
    holder_counted(const holder_counted&) = delete;
    holder_counted& operator=(const holder_counted&) = delete;

    void retain() noexcept {
        if (!counts_here())
            references_.fetch_add(1, std::memory_order_relaxed);
        else if (++by_holder_ == most_untold)
            tell();
    }

    void release() noexcept {
        if (counts_here()) {
            if (--by_holder_ == -most_untold)
                tell();
        } else if (is_last_reference() ||
                   references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete static_cast<T*>(this);
        }
    }

    /// The calling thread, which holds the object, counts by itself until stop(). The object stays
    /// until the end of this, when another thread may hold it.
    class counting {
    public:
        /// Alone: only the caller can take a reference when this begins and when it ends, and
        /// those who were given one meanwhile.
        explicit counting(T& of, bool alone = false) noexcept : of_(of), alone_(alone) {
            of.counts_or_own_.store(thread_mark(), std::memory_order_relaxed);
            if (alone)
                of.references_.store(stock + 1, std::memory_order_relaxed);
            else
                of.references_.fetch_add(stock, std::memory_order_relaxed);
        }

        counting(const counting&) = delete;
        counting& operator=(const counting&) = delete;

        ~counting() {
            stop();
            const auto left = stock - static_cast<std::uint32_t>(untold_);
            if (alone_ && untold_ == 0 &&
                of_.references_.load(std::memory_order_acquire) == stock + 1)
                of_.references_.store(1, std::memory_order_relaxed);
            else if (of_.references_.fetch_sub(left, std::memory_order_acq_rel) == left)
                delete &of_;
        }

        void stop() noexcept {
            if (std::exchange(counts_, false)) {
                of_.counts_or_own_.store(nullptr, std::memory_order_relaxed);
                untold_ = std::exchange(of_.by_holder_, 0);
            }
        }

    private:
        T& of_;
        const bool alone_;
        bool counts_ = true;
        std::int32_t untold_ = 0;
    };

protected:
    holder_counted() = default;
    ~holder_counted() = default;

    bool is_last_reference() const noexcept {
        return references_.load(std::memory_order_acquire) == 1;
    }

    /// While nobody counts by itself, a pointer of T's own may stay here.
    void put(void* own) noexcept { counts_or_own_.store(own, std::memory_order_relaxed); }

    void* take() noexcept {
        auto* const own = counts_or_own_.load(std::memory_order_relaxed);
        put(nullptr);
        return own;
    }

private:
    // More than a holder takes or gives before it tells, and little enough for the stocks of many
    // threads at once: those that have let the object go and are about to tell.
    static constexpr std::uint32_t stock = 1U << 24;
    static constexpr std::int32_t most_untold = 1 << 23;

    bool counts_here() const noexcept {
        return counts_or_own_.load(std::memory_order_relaxed) == thread_mark();
    }

    void tell() noexcept {
        references_.fetch_add(static_cast<std::uint32_t>(std::exchange(by_holder_, 0)),
                              std::memory_order_acq_rel);
    }

    std::atomic<std::uint32_t> references_{1};
    std::int32_t by_holder_ = 0; // taken less given, untold; the holder's alone
    std::atomic<void*> counts_or_own_{nullptr};
};

} // namespace bridge::detail
