// SPDX-License-Identifier: Apache-2.0
// Retries and rounds.
#include "run/attempts.hpp"

#include <utility>

#include <fmt/format.h>

namespace bridge::cli {

using protocol::outcome;

namespace {

int badness(const case_result& result) {
    if (result.result == outcome::not_run)
        return 0;
    if (result.is_bad())
        return 3;
    return result.is_flaky() ? 2 : 1;
}

} // namespace

next_step attempts::take(case_result result, const attempt_rules& rules) {
    if (result.is_bad() && rules.may_go_on && failed_attempts_.size() < rules.retries) {
        failed_attempts_.push_back(std::move(result));
        return next_step::retry;
    }
    auto earlier = std::exchange(failed_attempts_, {});
    if (result.result == outcome::not_run && !earlier.empty()) {
        result = std::move(earlier.back()); // the retry was stopped: what is known is the failure
        earlier.pop_back();
    }
    result.earlier = std::move(earlier);
    const bool has_run = result.result != outcome::not_run;
    end_round(std::move(result));
    const bool has_more = rules.rounds == 0 || rounds_ < rules.rounds;
    return has_run && has_more && rules.may_go_on ? next_step::next_round : next_step::finished;
}

void attempts::end_round(case_result result) {
    const bool is_first = rounds_ == 0;
    if (result.result != outcome::not_run)
        ++rounds_;
    if (result.is_bad())
        ++bad_rounds_;
    if (is_first || badness(result) > badness(worst_))
        worst_ = std::move(result);
}

case_result attempts::verdict() && {
    if (rounds_ > 1)
        worst_.notes.push_back(
            bad_rounds_ == 0
                ? fmt::format("it ran {} times", rounds_)
                : fmt::format("it ran {} times and failed {} of them", rounds_, bad_rounds_));
    return std::move(worst_);
}

} // namespace bridge::cli
