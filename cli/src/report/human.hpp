// SPDX-License-Identifier: Apache-2.0
// The report for people: a line per test, a progress line on a terminal, failures at the end.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "report/recap.hpp"
#include "report/reporter.hpp"
#include "report/terminal.hpp"
#include "report/totals.hpp"

namespace bridge::cli {

struct options;

class human_reporter final : public reporter {
public:
    explicit human_reporter(const options& settings);

    void on(const run_event& event) override;

private:
    struct running {
        test_case test;
        std::chrono::steady_clock::time_point since;
    };

    void take(const listing_failed& event);
    void take(const warned& event);
    void take(const run_started& event);
    void take(const case_started& event);
    void take(const case_slow& event);
    void take(const case_asked& event);
    void take(const case_retried& event);
    void take(const case_repeated& event);
    void take(const case_finished& event);
    void take(const clock_ticked& event);
    void take(const run_stopping& event);
    void take(const run_finished& event);

    std::string title(const test_case& test) const;
    std::string status_line(const case_result& result) const;
    std::string details(const case_result& result) const;
    std::string output_of(std::string_view output) const;
    std::string reproduction(const case_result& result) const;
    std::string summary(const run_finished& event) const;
    void end_running(const test_case& test);
    void draw_progress();

    const options& settings_;
    terminal terminal_;
    totals totals_;
    recap recap_;
    std::chrono::steady_clock::time_point began_;
    std::chrono::steady_clock::time_point drawn_; ///< the progress line
    std::size_t tests_ = 0;
    std::size_t flaky_ = 0;
    bool has_several_binaries_ = false;
    std::size_t listing_problems_ = 0;
    std::vector<running> running_;
    std::vector<case_result> failures_;
};

} // namespace bridge::cli
