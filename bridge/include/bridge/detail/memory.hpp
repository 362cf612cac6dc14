// SPDX-License-Identifier: Apache-2.0
// Memory of what every crossing needs for a short time: coroutine frames, handlers, its own block.
#pragma once

#include <cstddef>

#ifdef __has_feature
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define BRIDGE_KEEPS_NO_MEMORY
#    endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define BRIDGE_KEEPS_NO_MEMORY // a use after free must be seen
#endif

namespace bridge::detail {

/// As ::operator new and delete; what is freed is kept for this thread's next ones of its size, a
/// bounded number of them. May be freed on another thread. No GIL.
void* take_memory(std::size_t size);
void give_memory(void* memory, std::size_t size) noexcept;

/// A base of classes whose objects live there.
struct pooled {
    static void* operator new(std::size_t size) { return take_memory(size); }

    static void operator delete(void* memory, std::size_t size) noexcept {
        give_memory(memory, size);
    }
};

/// An allocator of it, for Asio's handlers: Asio itself keeps memory for threads that run a context
/// only.
template<class T>
struct pool_allocator {
    using value_type = T;

    pool_allocator() noexcept = default;

    template<class U>
    pool_allocator(const pool_allocator<U>&) noexcept {}

    T* allocate(std::size_t count) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        return static_cast<T*>(take_memory(count * sizeof(T)));
    }

    void deallocate(T* memory, std::size_t count) noexcept {
        give_memory(memory, count * sizeof(T));
    }

    template<class U>
    bool operator==(const pool_allocator<U>&) const noexcept {
        return true;
    }
};

} // namespace bridge::detail
