// SPDX-License-Identifier: Apache-2.0
// Counts by outcome.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <bridge/protocol/outcome.hpp>

namespace bridge::cli {

class totals {
public:
    void add(protocol::outcome result) { ++counts_[static_cast<std::size_t>(result)]; }

    std::size_t of(protocol::outcome result) const {
        return counts_[static_cast<std::size_t>(result)];
    }

    /// Tests that came to an end.
    std::size_t run() const { return all() - of(protocol::outcome::not_run); }

    std::size_t all() const {
        std::size_t sum = 0;
        for (auto count : counts_)
            sum += count;
        return sum;
    }

    std::size_t bad() const {
        using protocol::outcome;
        return of(outcome::failed) + of(outcome::timed_out) + of(outcome::crashed);
    }

private:
    std::array<std::size_t, 6> counts_{};
};

} // namespace bridge::cli
