// SPDX-License-Identifier: Apache-2.0
// Logs of runs that have ended, as the events that they were.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "report/reporter.hpp"

namespace bridge::cli {

/// Owns the tests that the events of the logs point to.
class report_log_reader {
public:
    /// The events of one log, in its order. Throws expected_error (usage): the file cannot be read,
    /// is not a report log, or of another version. The log of a run that has not ended is whole up
    /// to its last line end, and without a run_finished.
    std::vector<run_event> read(const std::string& path);

private:
    test_case make_test(std::string binary, std::string path, protocol::test_info info);

    std::map<std::string, std::unique_ptr<test_binary>> binaries_;
    std::vector<std::unique_ptr<protocol::test_info>> tests_;

    friend class log_line_reader;
};

} // namespace bridge::cli
