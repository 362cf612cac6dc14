// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/port_queue.hpp>

#include <bridge/detail/intrusive.hpp>
#include <bridge/detail/virtual_time.hpp>

#include <utility>

namespace bridge::detail {
namespace {

// A budget ends at whichever comes first; the rest is delivered in the loop's next turn.
constexpr int most_nodes = 256;
// The clock costs as much as a delivery: looked at now and then.
constexpr int nodes_between_looks = 16;

} // namespace

port_node* port_queue::take_arrivals() noexcept {
    auto* head = head_.load(std::memory_order_relaxed);
    while (head != nullptr && head != closed_mark() &&
           !head_.compare_exchange_weak(head, nullptr, std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
    }
    return head == closed_mark() ? nullptr : reversed<&port_node::next>(head);
}

std::uint64_t port_queue::deliver(std::chrono::steady_clock::time_point deadline) noexcept {
    std::uint64_t delivered = 0;
    auto* list = std::exchange(undelivered_, nullptr);
    for (int left = most_nodes; left > 0; --left) {
        // Also after the rest of an earlier batch: the wake-up for what came since is used up.
        if (list == nullptr)
            list = take_arrivals();
        if (list == nullptr)
            break;
        auto* node = list;
        list = node->next;
        node->deliver(node, true);
        ++delivered;
        if (left % nodes_between_looks == 0 && real_clock::now() > deadline)
            break;
    }
    undelivered_ = list;
    return delivered;
}

bool port_queue::close() noexcept {
    auto* head = head_.exchange(closed_mark(), std::memory_order_acq_rel);
    if (head == closed_mark())
        return false;
    auto** end = &undelivered_;
    while (*end != nullptr)
        end = &(*end)->next;
    *end = reversed<&port_node::next>(head);
    return true;
}

void port_queue::deliver_as_dead() noexcept {
    auto* list = std::exchange(undelivered_, nullptr);
    while (list != nullptr) {
        auto* node = list;
        list = node->next;
        node->deliver(node, false);
    }
}

std::size_t port_queue::size() const noexcept {
    std::size_t count = 0;
    for (const auto* node = undelivered_; node != nullptr; node = node->next)
        ++count;
    if (is_open())
        for (const auto* node = head_.load(std::memory_order_acquire); node != nullptr;
             node = node->next)
            ++count;
    return count;
}

} // namespace bridge::detail
