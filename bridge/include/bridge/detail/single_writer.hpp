// SPDX-License-Identifier: Apache-2.0
// A number that one thread writes and others may look at.
#pragma once

#include <atomic>

namespace bridge::detail {

/// Costs what a plain T costs. One writer at a time.
template<class T>
class single_writer {
public:
    single_writer() = default;

    single_writer& operator=(T value) noexcept {
        value_.store(value, std::memory_order_relaxed);
        return *this;
    }

    operator T() const noexcept { return value_.load(std::memory_order_relaxed); } // NOLINT

    void add(T more) noexcept { *this = value_.load(std::memory_order_relaxed) + more; }

private:
    std::atomic<T> value_{};
};

} // namespace bridge::detail
