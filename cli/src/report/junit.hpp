// SPDX-License-Identifier: Apache-2.0
// JUnit XML in the dialect that Jenkins, GitLab, GitHub's actions and CircleCI all read.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "report/reporter.hpp"

namespace bridge::cli {

/// Collects the run and writes the file when it ends, however it ends.
class junit_reporter final : public reporter {
public:
    /// Throws expected_error (report_not_written) when the file could not be written later.
    explicit junit_reporter(std::string path);

    void on(const run_event& event) override;

private:
    std::string document(const run_finished& event) const;

    std::string path_;
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
    std::vector<listing_problem> problems_;
    std::vector<case_result> results_;
};

} // namespace bridge::cli
