// SPDX-License-Identifier: Apache-2.0
// The reports that the options ask for, and the exit code of what was reported.
#pragma once

#include <memory>

#include "base/exit_code.hpp"
#include "report/reporter.hpp"
#include "settings/options.hpp"

namespace bridge::cli {

/// Whether we are in GitHub Actions, or are to act as if we were.
bool wants_github(github_mode mode);

/// Throws expected_error (report_not_written) when one of them could not be written.
std::unique_ptr<report_set> make_reports(const options& settings);

struct run_result {
    stop_reason stopped = stop_reason::none;
    bool has_listing_problem = false;
    bool has_report_failed = false;
    bool is_empty = false;
    bool has_failed = false;
};

/// The worst first: what made the run incomplete outranks what the tests said.
exit_code judge_run(const run_result& of);

} // namespace bridge::cli
