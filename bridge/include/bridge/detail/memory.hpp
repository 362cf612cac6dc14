// SPDX-License-Identifier: Apache-2.0
// Memory of what every crossing needs for a short time: coroutine frames, handlers, its own block.
#pragma once

#include <cstddef>

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

} // namespace bridge::detail
