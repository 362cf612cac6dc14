// SPDX-License-Identifier: Apache-2.0
// Short lists at the end of a run, for what is easily overlooked in it.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/test_case.hpp"
#include "output/style.hpp"

namespace bridge::cli {

class recap {
public:
    /// `slowest`: how many of the slowest tests to show.
    explicit recap(std::size_t slowest) : most_(slowest) {}

    void add(const case_result& result, const std::string& title);

    /// The slowest, the flaky, and what tests have left behind; empty when there is none of them.
    std::string text(const style& look) const;

private:
    std::size_t most_;
    std::vector<std::pair<std::chrono::nanoseconds, std::string>> slowest_; ///< sorted
    std::vector<std::string> flaky_;
    std::vector<std::string> leaks_;
};

} // namespace bridge::cli
