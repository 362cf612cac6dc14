// SPDX-License-Identifier: Apache-2.0
// __cxa_throw and __cxa_allocate_exception of the C++ library, shadowed: throws of any library come
// to the program's own symbol first. Weak, so that a C++ library that is linked statically has its
// own.
#include "record/throws.hpp"

#include <dlfcn.h>
#include <execinfo.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <typeinfo>

namespace bridge::harness {
namespace {

constexpr std::size_t most_throws = 256;
constexpr std::size_t most_addresses = 24;
constexpr int most_questions = 50; // each takes addr2line's time

// Who reads while it is overwritten sees that `object` has changed.
struct thrown {
    std::atomic<const void*> object{nullptr};
    std::array<std::atomic<void*>, most_addresses> addresses{};
};

constinit std::array<thrown, most_throws> throws{};
constinit std::atomic<std::size_t> next_throw{0};
constinit std::atomic<line_finder> finder_of_lines{nullptr};
constinit std::atomic<int> questions{0};

void keep_throw(const void* object) noexcept {
    if (finder_of_lines.load(std::memory_order_relaxed) == nullptr)
        return;
    void* here[most_addresses];
    const auto count = static_cast<std::size_t>(std::max(::backtrace(here, most_addresses), 0));
    auto& to = throws[next_throw.fetch_add(1, std::memory_order_relaxed) % most_throws];
    to.object.store(nullptr, std::memory_order_relaxed);
    for (std::size_t i = 0; i < most_addresses; ++i)
        to.addresses[i].store(i < count ? here[i] : nullptr, std::memory_order_relaxed);
    to.object.store(object, std::memory_order_release);
}

// What is made at the address of an earlier exception may be thrown by nobody:
// std::make_exception_ptr().
void forget_throw(const void* object) noexcept {
    for (auto& one : throws) {
        const void* its = object;
        if (one.object.load(std::memory_order_relaxed) == object)
            one.object.compare_exchange_strong(its, nullptr, std::memory_order_relaxed);
    }
}

// The latest, as objects have the addresses of earlier ones.
const thrown* find_throw(const void* object) noexcept {
    const auto end = next_throw.load(std::memory_order_relaxed);
    for (std::size_t back = 1; back <= most_throws && back <= end; ++back)
        if (const auto& one = throws[(end - back) % most_throws];
            one.object.load(std::memory_order_acquire) == object)
            return &one;
    return nullptr;
}

// Both C++ libraries have a pointer to the object that was thrown in an exception_ptr.
const void* object_of(const std::exception_ptr& error) noexcept {
    static_assert(sizeof(error) == sizeof(void*));
    return *reinterpret_cast<const void* const*>(&error);
}

} // namespace

void note_throws(line_finder finder) noexcept {
    finder_of_lines = finder;
}

std::string place_of_throw(const std::exception_ptr& error) {
    const auto find = finder_of_lines.load();
    const auto* object = object_of(error);
    const auto* found = find != nullptr && error ? find_throw(object) : nullptr;
    if (found == nullptr)
        return {};
    void* addresses[most_addresses];
    int count = 0;
    for (const auto& one : found->addresses)
        if (auto* address = one.load(std::memory_order_acquire); address != nullptr)
            addresses[count++] = address;
    if (found->object.load(std::memory_order_relaxed) != object || ++questions > most_questions)
        return {};
    const auto place = find(addresses, count);
    return place.empty() ? place : "\n  thrown at " + place;
}

} // namespace bridge::harness

extern "C" {

// By its symbol, as C++ libraries declare it differently.
[[noreturn, gnu::weak, gnu::visibility("default")]] void
bridge_harness_throw(void* object, std::type_info* type,
                     void (*destroy)(void*)) __asm__("__cxa_throw");

[[gnu::weak, gnu::visibility("default")]] void* bridge_harness_allocate(std::size_t size) noexcept
    __asm__("__cxa_allocate_exception");

void* bridge_harness_allocate(std::size_t size) noexcept {
    using allocate_function = void* (*)(std::size_t);
    static const auto next =
        reinterpret_cast<allocate_function>(::dlsym(RTLD_NEXT, "__cxa_allocate_exception"));
    void* object = next(size);
    bridge::harness::forget_throw(object);
    return object;
}

void bridge_harness_throw(void* object, std::type_info* type, void (*destroy)(void*)) {
    using throw_function = void (*)(void*, std::type_info*, void (*)(void*));
    static const auto next = reinterpret_cast<throw_function>(::dlsym(RTLD_NEXT, "__cxa_throw"));
    bridge::harness::keep_throw(object);
    next(object, type, destroy);
    std::abort();
}
}
