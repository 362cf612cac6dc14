// SPDX-License-Identifier: Apache-2.0
// What bridge-test answers to its caller; the only place with these numbers.
#pragma once

namespace bridge::cli {

enum class exit_code : int {
    passed = 0,
    failed = 1,
    interrupted = 2,
    internal = 3,
    usage = 4,
    no_tests = 5,
    listing_failed = 10,
    run_timed_out = 12,
    report_not_written = 14,
};

} // namespace bridge::cli
