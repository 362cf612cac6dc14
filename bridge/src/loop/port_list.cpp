// SPDX-License-Identifier: Apache-2.0
// The list of all ports, which any thread may walk.
#include <bridge/detail/port.hpp>
#include <bridge/detail/shared.hpp>

#include <mutex>

namespace bridge::detail {

std::vector<intrusive_ptr<port>> port::all_open() {
    std::vector<intrusive_ptr<port>> found;
    const std::lock_guard lock(shared().ports_mutex);
    for (auto* one = shared().ports; one != nullptr; one = one->next_)
        found.emplace_back(one);
    return found;
}

void port::enter_list() {
    auto& all = shared();
    const std::lock_guard lock(all.ports_mutex);
    next_ = all.ports;
    link_ = &all.ports;
    if (next_ != nullptr)
        next_->link_ = &next_;
    all.ports = this;
}

void port::leave_list() noexcept {
    if (link_ == nullptr)
        return; // the loop did not take it
    const std::lock_guard lock(shared().ports_mutex);
    *link_ = next_;
    if (next_ != nullptr)
        next_->link_ = link_;
}

} // namespace bridge::detail
