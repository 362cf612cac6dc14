// SPDX-License-Identifier: Apache-2.0
// Verdicts: what a test says counts only when its process ends accordingly.
#include "run/verdict.hpp"

#include <csignal>

#include <bridge/protocol/duration.hpp>
#include <bridge/protocol/exit_code.hpp>

namespace bridge::cli {

using protocol::outcome;

namespace {

std::string stopped_by(const worker_end& end) {
    return end.stop_signal == 0 ? ""
                                : ": it had been stopped by " + describe_signal(end.stop_signal);
}

std::string with_last_words(const record& said) {
    return said.last_words().empty() ? "" : ": " + said.last_words();
}

verdict judge_unfinished(const record& said, const worker_end& end,
                         std::chrono::milliseconds allowed) {
    if (end.cause == ending::stopped)
        return {outcome::not_run, "ended by bridge-test while it ran"};
    if (end.cause == ending::timed_out)
        return {outcome::timed_out, "no result after " + protocol::format_duration(allowed) +
                                        stopped_by(end) + "; bridge-test ended its process group"};
    return {outcome::crashed, "its process ended with " + end.status.describe() +
                                  " before the test had finished" + with_last_words(said)};
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
                    protocol::format_duration(allowed) + stopped_by(end) + with_last_words(said)};
    if (end.cause == ending::by_itself && !is_expected_end(told, end.status))
        return {outcome::crashed, "its process ended with " + end.status.describe() +
                                      " after the test had " + describe(told) +
                                      with_last_words(said)};
    if (protocol::is_success(told) && !said.failures().empty())
        return {outcome::failed, "the test had " + describe(told) + ", but reported failures"};
    return {told, said.finished()->message};
}

namespace {

bool is_usual_after_failure(const record& said, const exit_status& status) {
    return said.last_words().empty() &&
           (status.is_exit(0) || status.is_exit(protocol::failed_exit) ||
            status.is_exit(protocol::timed_out_exit) || status.is_exit(protocol::interrupted_exit));
}

std::string explain_signal(const exit_status& status, const std::string& command) {
    switch (status.number) {
    case SIGKILL:
        return "nothing catches SIGKILL, so that where it was is not known: the test has sent it "
               "by "
               "system calls of its own, or another program, or the system when memory ran out "
               "(dmesg says so)";
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGABRT:
        return "where it was is not known, as the harness did not get the signal: the test or a "
               "library has replaced its handler, or a thread without sigaltstack() has used up "
               "its "
               "stack; a debugger shows it: gdb --args " +
               command;
    default:
        return "who has sent the signal is not known; the harness has no handler for it";
    }
}

} // namespace

std::string explain_end(const record& said, const worker_end& end, const std::string& command) {
    const auto& finished = said.finished();
    if (end.cause != ending::by_itself)
        return {};
    if (finished && !protocol::is_success(finished->result))
        return is_usual_after_failure(said, end.status)
                   ? ""
                   : "after that its process ended with " + end.status.describe() +
                         with_last_words(said);
    if (!said.last_words().empty() || (finished && is_expected_end(finished->result, end.status)))
        return {};
    if (end.status.by_signal)
        return explain_signal(end.status, command);
    if (end.status.is_exit(protocol::timed_out_exit))
        return "the harness ended it at its time-out, and could not say so: the test has closed "
               "the "
               "descriptors of the harness";
    return finished
               ? ""
               : "neither exit() nor _exit() was called: a system call ended it, or exec() made "
                 "it another program";
}

} // namespace bridge::cli
