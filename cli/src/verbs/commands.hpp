// SPDX-License-Identifier: Apache-2.0
// The verbs of bridge-test.
#pragma once

#include "base/exit_code.hpp"
#include "settings/options.hpp"

namespace bridge::cli {

/// Runs the selected tests and reports them.
exit_code run_tests(const options& settings);

/// Becomes the test binary that has the selected tests; returns only if that is not possible.
exit_code run_in_place(const options& settings);

/// Prints the selected tests on stdout, problems on stderr.
exit_code list_tests(const options& settings);

/// Prints every setting with the place that it comes from.
exit_code show_config(const options& settings);

/// Reports what the report logs of several runs have in them as one run.
exit_code merge_logs(const options& settings);

} // namespace bridge::cli
