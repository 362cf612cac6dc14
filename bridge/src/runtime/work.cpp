// SPDX-License-Identifier: Apache-2.0
#include <bridge/work.hpp>

#include <bridge/detail/gate.hpp>

#include <utility>

namespace bridge {

work& work::operator=(work&& other) noexcept {
    std::swap(strand_, other.strand_);
    std::swap(first_, other.first_);
    return *this;
}

work::~work() {
    if (strand_ && !strand_->on().is_parents_copy()) // else it is the parent's
        strand_->discard(first_);
}

void work::operator()() {
    const auto held = std::exchange(strand_, {});
    const detail::gate_guard inside(held->on().life());
    if (inside)
        held->run_and_leave(first_);
    else if (!held->on().is_parents_copy()) // else it is the parent's
        held->discard(first_);
}

} // namespace bridge
