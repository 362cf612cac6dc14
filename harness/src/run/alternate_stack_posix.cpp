// SPDX-License-Identifier: Apache-2.0
#include "run/alternate_stack.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <cstddef>

namespace bridge::harness {
namespace {

// For the report of a crash, and the registers of any processor.
constexpr std::size_t size_of_stack = 128 * 1024;

// Null if there is no memory for it.
void* use_new_stack() noexcept {
    void* memory =
        ::mmap(nullptr, size_of_stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    stack_t ours{};
    ours.ss_sp = memory;
    ours.ss_size = size_of_stack;
    if (::sigaltstack(&ours, nullptr) == 0)
        return memory;
    ::munmap(memory, size_of_stack);
    return nullptr;
}

} // namespace

alternate_stack::alternate_stack() noexcept {
    stack_t now{};
    if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0)
        return; // a sanitizer's
    memory_ = use_new_stack();
}

alternate_stack::~alternate_stack() {
    if (memory_ == nullptr)
        return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
    ::munmap(memory_, size_of_stack);
}

void enlarge_alternate_stack() noexcept {
    stack_t now{};
    if (::sigaltstack(nullptr, &now) == 0 && now.ss_size < size_of_stack)
        use_new_stack();
}

} // namespace bridge::harness
