// SPDX-License-Identifier: Apache-2.0
// The single owner of a run's state: starts tests, takes their ends, tells the reporters.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "children/supervisor.hpp"
#include "report/reporter.hpp"
#include "run/attempts.hpp"
#include "run/plan.hpp"
#include "run/schedule.hpp"
#include "run/session_pool.hpp"

namespace bridge::cli {

class shared_streams;
struct options;

class dispatcher {
public:
    dispatcher(supervisor& processes, const options& settings, report_set& reports,
               const shared_streams& streams);

    /// Runs the tests, `settings.jobs` at a time, with their retries and rounds. Returns how many
    /// failed.
    std::size_t run(const std::vector<planned_test>& tests);

private:
    struct running_test;

    void fill();
    bool start(std::size_t test);
    void launch(const std::shared_ptr<running_test>& test, worker_sinks sinks);
    void withdraw(const std::shared_ptr<running_test>& test);
    void finish(const std::shared_ptr<running_test>& test, const worker_end& end);
    void conclude(std::size_t test, case_result result);
    void report(case_result result);
    void give_up_waiting();
    bool may_start() const;
    unsigned rounds() const;
    void mark_slow();
    void ask();
    void tell_answers();
    void tick();

    supervisor& processes_;
    const options& settings_;
    report_set& reports_;
    const shared_streams& streams_;
    boost::asio::steady_timer ticks_;
    const std::vector<planned_test>* tests_ = nullptr;
    std::optional<schedule> queue_;
    std::vector<attempts> attempts_; ///< as many as tests
    std::vector<std::shared_ptr<running_test>> running_;
    std::map<const test_binary*, std::size_t> waiting_; ///< tests that have not been started
    session_pool sessions_;
    std::size_t failures_ = 0; ///< rounds that ended with one: what --max-fail counts
    std::size_t failed_ = 0;   ///< tests
};

} // namespace bridge::cli
