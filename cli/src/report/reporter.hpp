// SPDX-License-Identifier: Apache-2.0
// What happens in a run, as events, and who is told. Reporters see events and nothing else.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/stop_reason.hpp"
#include "base/test_case.hpp"
#include "filter/shard.hpp"
#include "select/locate.hpp"

namespace bridge::cli {

struct listing_failed {
    listing_problem problem;
};

struct warned {
    std::string message;
};

struct run_started {
    std::size_t tests = 0;
    std::size_t binaries = 0;
    unsigned jobs = 1;
    std::chrono::system_clock::time_point time = std::chrono::system_clock::now();
};

struct case_started {
    test_case test;
};

/// It runs longer than --slow, or a multiple of that.
struct case_slow {
    test_case test;
    std::chrono::nanoseconds elapsed{0};
};

/// Somebody has asked where it is; what it has written since.
struct case_asked {
    test_case test;
    std::string output;
    std::chrono::nanoseconds elapsed{0};
};

/// An attempt that failed; another one follows.
struct case_retried {
    case_result result;
    std::size_t attempt = 1;
    std::size_t attempts = 1; ///< at most
};

/// A round of --repeat that has ended; another one follows.
struct case_repeated {
    case_result result;
};

/// Comes once for every test of the run, as its last event.
struct case_finished {
    case_result result;
};

/// Comes several times a second, so that a reporter needs no clock of its own.
struct clock_ticked {};

struct run_stopping {
    stop_reason reason = stop_reason::none;
    bool is_kill = false;
};

struct run_finished {
    std::chrono::nanoseconds duration{0};
    std::optional<shard> part = std::nullopt; ///< what of the whole it was
};

using run_event = std::variant<listing_failed, warned, run_started, case_started, case_slow,
                               case_asked, case_retried, case_repeated, case_finished, clock_ticked,
                               run_stopping, run_finished>;

class reporter {
public:
    virtual ~reporter() = default;

    /// May throw report_error.
    virtual void on(const run_event& event) = 0;

    /// Comes last, when signals end the runner again: waits for readers that are late. May throw
    /// report_error.
    virtual void finish() {}
};

/// All reporters of a run. One that fails is named on stderr and keeps no other from its work.
class report_set {
public:
    void add(std::unique_ptr<reporter> one) { reporters_.push_back(std::move(one)); }

    void emit(const run_event& event);

    /// Waits until readers have taken everything.
    void finish();

    bool has_failed() const noexcept { return has_failed_; }

private:
    void tell_lost_output();
    template<class Tell>
    void for_each(const Tell& tell);

    std::vector<std::unique_ptr<reporter>> reporters_;
    bool has_failed_ = false;
};

} // namespace bridge::cli
