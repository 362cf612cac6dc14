// SPDX-License-Identifier: Apache-2.0
// Which test starts next.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "run/plan.hpp"

namespace bridge::cli {

/// Tests by their place in the list that it is made from. Longest first if several run at a
/// time, those without a known duration before all others, serial ones last.
class schedule {
public:
    schedule(const std::vector<planned_test>& tests, unsigned slots, bool by_binary);

    /// A test that may start now; it is running from here on.
    std::optional<std::size_t> take();

    /// It does not run any more.
    void end(std::size_t test);

    /// It waits again: before all others, or after them.
    void put_first(std::size_t test) { ready_.push_front(test); }

    void put_last(std::size_t test) { ready_.push_back(test); }

    /// One that waits, whether it could start or not.
    std::optional<std::size_t> take_any();

    bool is_idle() const noexcept { return used_ == 0; }

private:
    bool fits(const planned_test& test) const;
    unsigned slots_of(const planned_test& test) const;

    const std::vector<planned_test>& tests_;
    unsigned slots_;
    unsigned used_ = 0;
    std::deque<std::size_t> ready_;

    struct group {
        bool is_busy = false;
        std::deque<std::size_t> waiting;
    };

    std::map<std::string, group> groups_;
};

} // namespace bridge::cli
