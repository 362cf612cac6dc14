// SPDX-License-Identifier: Apache-2.0
// The single owner of a run's state: starts tests, takes their ends, tells the reporters.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "report/reporter.hpp"
#include "supervisor.hpp"

namespace bridge::cli {

struct options;

class dispatcher {
public:
    dispatcher(supervisor& processes, const options& settings, report_set& reports);

    /// Runs the tests in this order, `settings.jobs` at a time. Returns how many failed.
    std::size_t run(const std::vector<test_case>& cases);

private:
    struct running_test;

    void fill();
    void start(const test_case& test);
    void finish(const std::shared_ptr<running_test>& test, const worker_end& end);
    void finish(case_result result);
    bool may_start() const;
    void tick();

    supervisor& processes_;
    const options& settings_;
    report_set& reports_;
    boost::asio::steady_timer ticks_;
    const std::vector<test_case>* cases_ = nullptr;
    std::size_t next_ = 0;
    std::size_t running_ = 0;
    std::size_t failed_ = 0;
};

} // namespace bridge::cli
