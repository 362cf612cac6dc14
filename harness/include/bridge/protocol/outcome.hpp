// SPDX-License-Identifier: Apache-2.0
// The closed list of ways in which a test can end.
#pragma once

#include <optional>
#include <string_view>

namespace bridge::protocol {

enum class outcome {
    passed,
    failed,
    skipped,
    timed_out,
    crashed, ///< the process ended without saying how the test went
    not_run, ///< the run ended before the test did
};

/// The outcome's name as it is written in events and reports.
std::string_view to_string(outcome value) noexcept;

/// The reverse of to_string; nothing for a name that is not in the list.
std::optional<outcome> parse_outcome(std::string_view name) noexcept;

/// True for passed and skipped: the two outcomes that leave the run green.
bool is_success(outcome value) noexcept;

} // namespace bridge::protocol
