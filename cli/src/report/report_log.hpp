// SPDX-License-Identifier: Apache-2.0
// The run as a stream of JSON objects, one a line: docs/reference/report_log.md.
#pragma once

#include <string>

#include "output/append_file.hpp"
#include "report/reporter.hpp"

namespace bridge::cli {

inline constexpr int report_log_version = 1;

/// Writes each event when it happens, so that whoever reads along is up to date.
class report_log_reporter final : public reporter {
public:
    /// Throws expected_error (report_not_written) when the file cannot be opened.
    explicit report_log_reporter(const std::string& path)
        : file_(path, append_file::old_content::replaced) {}

    void on(const run_event& event) override;

    void finish() override { file_.finish(); }

private:
    append_file file_;
};

/// One line with its end; empty for what no log has, as the ticks of the clock.
std::string write_log_line(const run_event& event);

} // namespace bridge::cli
