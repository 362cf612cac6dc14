// SPDX-License-Identifier: Apache-2.0
// Binaries found, asked and filtered: the way to the tests that both verbs go.
#pragma once

#include <string>
#include <vector>

#include "select/discover.hpp"
#include "select/history.hpp"

namespace bridge::cli {

struct selection {
    discovered found; ///< owns what `cases` point into
    std::vector<test_case> cases;
    std::vector<std::string> warnings;
    bool is_shard_empty = false;  ///< tests were selected, but none of them is in this shard
    std::string nothing_selected; ///< why there are no cases, when there are none
    history past;
    history_place state;
};

/// Throws expected_error when there is nothing that could be asked.
selection select_tests(supervisor& processes, const options& settings);

} // namespace bridge::cli
