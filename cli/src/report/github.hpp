// SPDX-License-Identifier: Apache-2.0
// GitHub Actions: an annotation at the line of each failure, and a summary of the step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "output/append_file.hpp"
#include "report/reporter.hpp"
#include "report/stopped_commands.hpp"
#include "report/totals.hpp"

namespace bridge::cli {

/// Writes when the run ends, however it ends: workflow commands to stdout, and Markdown to the end
/// of the file that GITHUB_STEP_SUMMARY names, if it is set. Until then, what stdout carries is
/// kept from being taken for commands: a test's output may look like them.
class github_reporter final : public reporter {
public:
    /// Throws expected_error (report_not_written) when the summary cannot be opened.
    github_reporter();

    void on(const run_event& event) override;
    void finish() override;

private:
    std::string annotations() const;
    std::string summary(const run_finished& event) const;

    std::optional<stopped_commands> stopped_; ///< until the run ends
    std::optional<append_file> summary_;      ///< of GITHUB_STEP_SUMMARY
    std::string workspace_; ///< GITHUB_WORKSPACE: paths of annotations are relative to it
    totals totals_;
    std::vector<listing_problem> problems_;
    std::vector<case_result> failures_;
    std::vector<case_result> flaky_;
};

} // namespace bridge::cli
