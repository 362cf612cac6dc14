// SPDX-License-Identifier: Apache-2.0
// What bridge-test answers to its caller.
#pragma once

#include <bridge/protocol/exit_code.hpp>

namespace bridge::cli {

/// The first six are a test binary's, too.
enum class exit_code : int {
    passed = protocol::passed_exit,
    failed = protocol::failed_exit,
    interrupted = protocol::interrupted_exit,
    internal = protocol::internal_exit,
    usage = protocol::usage_exit,
    no_tests = protocol::no_tests_exit,
    listing_failed = 10,
    run_timed_out = 12,
    report_not_written = 14,
};

} // namespace bridge::cli
