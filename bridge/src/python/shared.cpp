// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/shared.hpp>

namespace bridge::detail {
namespace {

std::atomic<bool> joined{false};

constinit gate first_gate{false};

thread_slots* own_slots() noexcept {
    static thread_local thread_slots slots;
    return &slots;
}

} // namespace

constinit shared_state own_state{&first_gate, &own_slots};

bool has_joined() noexcept {
    return joined.load(std::memory_order_acquire);
}

bool end_joining() noexcept {
    return !joined.exchange(true, std::memory_order_acq_rel);
}

thread_slots& find_slots() noexcept {
    const bool final = has_joined(); // before they are used: it may join meanwhile
    auto* const found = shared().slots();
    if (final)
        known_slots = found;
    return *found;
}

} // namespace bridge::detail
