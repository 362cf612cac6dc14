// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/memory.hpp>

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

constexpr std::size_t step = 64;
constexpr std::size_t classes = 16; // up to 1 KiB
constexpr unsigned most_kept = 64;  // of each size

#ifdef BRIDGE_KEEPS_NO_MEMORY
constexpr bool keeps = false;
#else
constexpr bool keeps = true;
#endif

struct block {
    block* next;
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

} // namespace

void* take_memory(std::size_t size) {
    const auto which = class_of(size);
    if (!keeps || which >= classes)
        return ::operator new(size);
    auto& from = mine.shelves[which];
    if (auto* kept = from.first) {
        from.first = kept->next;
        --from.count;
        return kept;
    }
    return ::operator new((which + 1) * step);
}

void give_memory(void* memory, std::size_t size) noexcept {
    const auto which = class_of(size);
    if (!keeps || which >= classes || mine.closed || mine.shelves[which].count == most_kept)
        return ::operator delete(memory);
    auto& to = mine.shelves[which];
    if (to.first == nullptr)
        at_thread_end.used = true;
    to.first = new (memory) block{to.first};
    ++to.count;
}

} // namespace bridge::detail
