// SPDX-License-Identifier: Apache-2.0
#include <bridge/detail/other_chains.hpp>

#include <bridge/detail/strand.hpp>

#include <algorithm>
#include <new>

namespace bridge::detail {

bool other_chains::is_newly_cancelled(const other_wait& wait) noexcept {
    return !wait.was_cancelled && wait.state.cancelled() != boost::asio::cancellation_type::none;
}

void other_chains::keep(const other_wait& wait) noexcept {
    try {
        reached_.push_back(wait.chain);
    } catch (const std::bad_alloc&) { // its answer does not count
    }
}

void other_chains::add(other_wait& wait) noexcept {
    wait.was_cancelled = wait.state.cancelled() != boost::asio::cancellation_type::none;
    // Another one, where one that the request has reached was before; or it has asked Asio to
    // forget the request.
    if (!wait.was_cancelled)
        std::erase(reached_, wait.chain);
    link_first<&other_wait::link>(waits_, wait);
}

void other_chains::remove(other_wait& wait) noexcept {
    if (in_request_ && is_newly_cancelled(wait))
        keep(wait);
    unlink<&other_wait::link>(wait);
}

void other_chains::begin_request() noexcept {
    reached_.clear();
    for (auto* one = waits_; one != nullptr; one = one->link.next)
        one->was_cancelled = one->state.cancelled() != boost::asio::cancellation_type::none;
    in_request_ = true;
}

void other_chains::end_request() noexcept {
    in_request_ = false;
    for (const auto* one = waits_; one != nullptr; one = one->link.next)
        if (is_newly_cancelled(*one))
            keep(*one);
}

bool other_chains::is_reached(chain_id chain) const noexcept {
    if (std::find(reached_.begin(), reached_.end(), chain) != reached_.end())
        return true;
    if (!in_request_) // else an operation has ended right inside the request
        return false;
    for (const auto* one = waits_; one != nullptr; one = one->link.next)
        if (one->chain == chain && is_newly_cancelled(*one))
            return true;
    return false;
}

} // namespace bridge::detail
