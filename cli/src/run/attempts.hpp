// SPDX-License-Identifier: Apache-2.0
// What becomes of one test over its attempts and rounds.
#pragma once

#include <cstddef>
#include <vector>

#include "base/test_case.hpp"

namespace bridge::cli {

/// A round is one run of a test, with a retry of its failures; --repeat asks for several rounds.
struct attempt_rules {
    unsigned retries = 0;
    unsigned rounds = 1;   ///< 0: without end
    bool may_go_on = true; ///< false when nothing more may be started
};

enum class next_step { finished, retry, next_round };

class attempts {
public:
    /// Takes the result of an attempt and says what comes next.
    next_step take(case_result result, const attempt_rules& rules);

    /// The test's result: that of its worst round, the first of them, with the attempts before it.
    case_result verdict() &&;

    /// How many attempts of this round have failed.
    std::size_t failed_attempts() const noexcept { return failed_attempts_.size(); }

private:
    void end_round(case_result result);

    std::vector<case_result> failed_attempts_; ///< of this round
    case_result worst_;
    std::size_t rounds_ = 0;
    std::size_t bad_rounds_ = 0;
};

} // namespace bridge::cli
