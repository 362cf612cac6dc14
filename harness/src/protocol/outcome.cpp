// SPDX-License-Identifier: Apache-2.0
// Names of outcomes.
#include <bridge/protocol/outcome.hpp>

#include "protocol/names.hpp"

namespace bridge::protocol {

namespace {

constexpr name_table<outcome, 6> names{{
    {outcome::passed, "passed"},
    {outcome::failed, "failed"},
    {outcome::skipped, "skipped"},
    {outcome::timed_out, "timed_out"},
    {outcome::crashed, "crashed"},
    {outcome::not_run, "not_run"},
}};

} // namespace

std::string_view to_string(outcome value) noexcept {
    return name_of(names, value);
}

std::optional<outcome> parse_outcome(std::string_view name) noexcept {
    return value_of(names, name);
}

bool is_success(outcome value) noexcept {
    return value == outcome::passed || value == outcome::skipped;
}

} // namespace bridge::protocol
