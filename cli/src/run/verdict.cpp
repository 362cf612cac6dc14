// SPDX-License-Identifier: Apache-2.0
// Verdicts: what a test says counts only when its process ends accordingly.
#include "run/verdict.hpp"

#include <bridge/protocol/duration.hpp>
#include <bridge/protocol/exit_code.hpp>

namespace bridge::cli {

using protocol::outcome;

namespace {

std::string stopped_by(const worker_end& end) {
    return end.stop_signal == 0 ? ""
                                : ": it had been stopped by " + describe_signal(end.stop_signal);
}

verdict judge_unfinished(const record& said, const worker_end& end,
                         std::chrono::milliseconds allowed) {
    if (end.cause == ending::stopped)
        return {outcome::not_run, "ended by bridge-test while it ran"};
    if (end.cause == ending::timed_out)
        return {outcome::timed_out, "no result after " + protocol::format_duration(allowed) +
                                        stopped_by(end) + "; bridge-test ended its process group"};
    return {outcome::crashed, "its process ended with " + end.status.describe() +
                                  " before the test had finished" +
                                  (said.last_words().empty() ? "" : ": " + said.last_words())};
}

bool is_expected_end(outcome result, const exit_status& status) {
    switch (result) {
    case outcome::passed:
        return status.is_exit(0);
    case outcome::skipped:
        return status.is_exit(0) || status.is_exit(protocol::skipped_exit);
    default:
        return true; // a failure stays one, however its process ends
    }
}

std::string describe(outcome result) {
    return result == outcome::timed_out ? "timed out" : std::string(to_string(result));
}

} // namespace

verdict judge(const record& said, const worker_end& end, std::chrono::milliseconds allowed) {
    if (!said.finished())
        return judge_unfinished(said, end, allowed);
    const auto told = said.finished()->result;
    if (end.cause == ending::timed_out)
        return {protocol::is_success(told) ? outcome::timed_out : told,
                "the test had " + describe(told) + ", but its process did not end within " +
                    protocol::format_duration(allowed) + stopped_by(end)};
    if (end.cause == ending::by_itself && !is_expected_end(told, end.status))
        return {outcome::crashed, "its process ended with " + end.status.describe() +
                                      " after the test had " + describe(told)};
    if (protocol::is_success(told) && !said.failures().empty())
        return {outcome::failed, "the test had " + describe(told) + ", but reported failures"};
    return {told, said.finished()->message};
}

} // namespace bridge::cli
