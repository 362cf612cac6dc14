// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/memory.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <new>

namespace bridge::detail {
namespace {

// What malloc gives without a loss: its own word beside each block makes that a multiple of 16.
constexpr std::size_t step = 16;
constexpr std::size_t word = 8;
constexpr std::size_t classes = 64;                        // up to 1 KiB
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

struct cache {
    shelf shelves[classes];
};

// Null before the first use, and after thread_local objects have ended: memory may be given back
// then too.
thread_local constinit cache* mine = nullptr;
thread_local constinit bool thread_ended = false;

// What is made on one thread and ends on another goes back by the batch.
struct depot {
    std::mutex mutex{};
    std::atomic<block*> first{nullptr}; // of the batches
};

constexpr std::size_t class_of(std::size_t size) noexcept {
    return size <= sizeof(block) ? 1 : (size - word + step - 1) / step;
}

constexpr std::size_t size_of(std::size_t which) noexcept {
    return which * step + word;
}

static_assert(size_of(class_of(1)) >= sizeof(block) && size_of(class_of(24)) == 24 &&
              size_of(class_of(25)) == 40);

constexpr std::size_t batch_size(std::size_t which) noexcept {
    return size_of(which) * most_kept;
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

// Made with the cache, so that it is destroyed when the thread ends.
struct cleaner {
    std::unique_ptr<cache> its = std::make_unique<cache>();

    cleaner() { mine = its.get(); }

    ~cleaner() {
        mine = nullptr;
        thread_ended = true;
        for (auto& one : its->shelves) {
            while (auto* kept = one.first) {
                one.first = kept->next;
                ::operator delete(kept);
            }
        }
    }
};

// Null if the thread is at its end, or has no memory for one.
cache* make_mine() noexcept {
    if (thread_ended)
        return nullptr;
    try {
        static thread_local const cleaner at_thread_end;
        return at_thread_end.its.get();
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

cache* find_mine() noexcept {
    return mine != nullptr ? mine : make_mine();
}

} // namespace

void* take_memory(std::size_t size) {
    const auto which = class_of(size);
    if (!keeps || which >= classes)
        return ::operator new(size);
    if (auto* in = find_mine()) {
        auto& from = in->shelves[which];
        if (from.first == nullptr && (from.first = take_batch(which)) != nullptr)
            from.count = most_kept;
        if (auto* kept = from.first) {
            from.first = kept->next;
            --from.count;
            return kept;
        }
    }
    return ::operator new(size_of(which));
}

void give_memory(void* memory, std::size_t size) noexcept {
    const auto which = class_of(size);
    auto* in = keeps && which < classes ? find_mine() : nullptr;
    if (in == nullptr)
        return ::operator delete(memory);
    auto& to = in->shelves[which];
    if (to.count == most_kept) {
        if (!give_batch(which, to.first))
            return ::operator delete(memory);
        to = {};
    }
    to.first = new (memory) block{to.first};
    ++to.count;
}

} // namespace bridge::detail
