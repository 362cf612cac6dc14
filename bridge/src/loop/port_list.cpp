// SPDX-License-Identifier: Apache-2.0
// The list of all ports, which any thread may walk.
#include <bridge/detail/port.hpp>
#include <bridge/detail/shared.hpp>

#include <mutex>

namespace bridge::detail {

std::vector<intrusive_ptr<port>> port::all_open() {
    std::vector<intrusive_ptr<port>> found;
    const std::lock_guard lock(shared().ports_mutex);
    for (auto* one = shared().ports; one != nullptr; one = one->link_.next)
        found.emplace_back(one);
    return found;
}

void port::enter_list() {
    auto& all = shared();
    const std::lock_guard lock(all.ports_mutex);
    link_first<&port::link_>(all.ports, *this);
}

void port::leave_list() noexcept {
    const std::lock_guard lock(shared().ports_mutex);
    unlink<&port::link_>(*this); // unless the loop did not take it
}

} // namespace bridge::detail
