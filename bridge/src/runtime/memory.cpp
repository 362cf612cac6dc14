// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/memory.hpp>

#include <atomic>
#include <mutex>
#include <new>

#ifdef __has_feature
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define BRIDGE_KEEPS_NO_MEMORY
#    endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define BRIDGE_KEEPS_NO_MEMORY // a use after free must be seen
#endif

namespace bridge::detail {
namespace {

constexpr std::size_t step = 32;
constexpr std::size_t classes = 32;                        // up to 1 KiB
constexpr unsigned most_kept = 64;                         // of each size, by a thread: one batch
constexpr std::size_t most_stored = std::size_t{16} << 20; // between the threads

#ifdef BRIDGE_KEEPS_NO_MEMORY
constexpr bool keeps = false;
#else
constexpr bool keeps = true;
#endif

struct block {
    block* next;
    block* next_batch = nullptr;
};

struct shelf {
    block* first;
    unsigned count;
};

// Without a destructor of its own: memory may be given back after thread_local objects have ended.
struct cache {
    shelf shelves[classes];
    bool closed;
};

thread_local constinit cache mine{};

// What is made on one thread and ends on another goes back by the batch.
struct depot {
    std::mutex mutex{};
    std::atomic<block*> first{nullptr}; // of the batches
};

constexpr std::size_t batch_size(std::size_t which) noexcept {
    return (which + 1) * step * most_kept;
}

constinit depot depots[classes]{};
constinit std::atomic<std::size_t> stored{0}; // bytes in all of them

// Never waited for: a forked child may find it locked for ever.
block* take_batch(std::size_t which) noexcept {
    auto& from = depots[which];
    if (from.first.load(std::memory_order_relaxed) == nullptr)
        return nullptr;
    const std::unique_lock lock(from.mutex, std::try_to_lock);
    auto* batch = lock ? from.first.load(std::memory_order_relaxed) : nullptr;
    if (batch != nullptr) {
        from.first.store(batch->next_batch, std::memory_order_relaxed);
        stored.fetch_sub(batch_size(which), std::memory_order_relaxed);
    }
    return batch;
}

bool give_batch(std::size_t which, block* first) noexcept {
    auto& to = depots[which];
    const std::unique_lock lock(to.mutex, std::try_to_lock);
    if (!lock || stored.load(std::memory_order_relaxed) + batch_size(which) > most_stored)
        return false;
    stored.fetch_add(batch_size(which), std::memory_order_relaxed);
    first->next_batch = to.first.load(std::memory_order_relaxed);
    to.first.store(first, std::memory_order_relaxed);
    return true;
}

struct cleaner {
    // Touched when the first block is kept, so that it is destroyed when the thread ends.
    bool used = false;

    ~cleaner() {
        mine.closed = true;
        for (auto& one : mine.shelves) {
            while (auto* kept = one.first) {
                one.first = kept->next;
                ::operator delete(kept);
            }
        }
    }
};

thread_local cleaner at_thread_end;

std::size_t class_of(std::size_t size) noexcept {
    return (size - 1) / step;
}

void refill(shelf& empty, std::size_t which) noexcept {
    if (mine.closed || (empty.first = take_batch(which)) == nullptr)
        return;
    empty.count = most_kept;
    at_thread_end.used = true;
}

} // namespace

void* take_memory(std::size_t size) {
    const auto which = class_of(size);
    if (!keeps || which >= classes)
        return ::operator new(size);
    auto& from = mine.shelves[which];
    if (from.first == nullptr)
        refill(from, which);
    if (auto* kept = from.first) {
        from.first = kept->next;
        --from.count;
        return kept;
    }
    return ::operator new((which + 1) * step);
}

void give_memory(void* memory, std::size_t size) noexcept {
    const auto which = class_of(size);
    if (!keeps || which >= classes || mine.closed)
        return ::operator delete(memory);
    auto& to = mine.shelves[which];
    if (to.count == most_kept) {
        if (!give_batch(which, to.first))
            return ::operator delete(memory);
        to = {};
    }
    if (to.first == nullptr)
        at_thread_end.used = true;
    to.first = new (memory) block{to.first};
    ++to.count;
}

} // namespace bridge::detail
