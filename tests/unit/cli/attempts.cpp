// SPDX-License-Identifier: Apache-2.0
// Attempts and rounds: what comes next, and what the test's verdict is in the end.
#include "run/attempts.hpp"

#include "check.hpp"

namespace {

using namespace bridge::cli;
using bridge::protocol::outcome;

case_result ended(outcome how, const std::string& message = "") {
    case_result result;
    result.result = how;
    result.message = message;
    return result;
}

const auto good = ended(outcome::passed);
const auto bad = ended(outcome::failed, "bad");
const auto stopped = ended(outcome::not_run, "stopped");

TEST("without retries and rounds the first result is the verdict") {
    for (const auto& one : {good, bad, stopped, ended(outcome::skipped)}) {
        attempts of;
        CHECK(of.take(one, {}) == next_step::finished);
        const auto verdict = std::move(of).verdict();
        CHECK(verdict.result == one.result && verdict.notes.empty() && !verdict.is_flaky());
    }
}

TEST("a failure is tried again, and what passes then is flaky") {
    attempts of;
    CHECK(of.take(ended(outcome::crashed), {2}) == next_step::retry);
    CHECK(of.take(bad, {2}) == next_step::retry && of.failed_attempts() == 2);
    CHECK(of.take(good, {2}) == next_step::finished);
    const auto verdict = std::move(of).verdict();
    CHECK(verdict.is_flaky() && verdict.earlier.size() == 2);
    CHECK(verdict.earlier[0].result == outcome::crashed);
}

TEST("retries have an end") {
    attempts of;
    CHECK(of.take(bad, {1}) == next_step::retry);
    CHECK(of.take(ended(outcome::timed_out), {1}) == next_step::finished);
    const auto verdict = std::move(of).verdict();
    CHECK(verdict.result == outcome::timed_out && !verdict.is_flaky());
    CHECK(verdict.earlier.size() == 1);
}

TEST("nothing is tried again when nothing may be started") {
    attempts of;
    CHECK(of.take(bad, {3, 5, false}) == next_step::finished);
    CHECK(std::move(of).verdict().result == outcome::failed);
}

TEST("a retry that was stopped leaves the failure before it") {
    attempts of;
    CHECK(of.take(ended(outcome::crashed), {2}) == next_step::retry);
    CHECK(of.take(bad, {2}) == next_step::retry);
    CHECK(of.take(stopped, {2, 1, false}) == next_step::finished);
    const auto verdict = std::move(of).verdict();
    CHECK(verdict.message == "bad" && verdict.earlier.size() == 1);
}

TEST("of rounds the worst counts, the first of them, and the numbers are noted") {
    attempts of;
    CHECK(of.take(good, {0, 4}) == next_step::next_round);
    CHECK(of.take(bad, {0, 4}) == next_step::next_round);
    CHECK(of.take(ended(outcome::failed, "worse?"), {0, 4}) == next_step::next_round);
    CHECK(of.take(good, {0, 4}) == next_step::finished);
    const auto verdict = std::move(of).verdict();
    CHECK(verdict.message == "bad");
    CHECK(verdict.notes == std::vector<std::string>{"it ran 4 times and failed 2 of them"});
}

TEST("a flaky round is worse than a green one") {
    attempts of;
    CHECK(of.take(good, {1, 2}) == next_step::next_round);
    CHECK(of.take(bad, {1, 2}) == next_step::retry);
    CHECK(of.take(good, {1, 2}) == next_step::finished);
    const auto verdict = std::move(of).verdict();
    CHECK(verdict.is_flaky() && verdict.notes == std::vector<std::string>{"it ran 2 times"});
}

TEST("rounds without end go on until they may not, and a stopped one does not count") {
    attempts of;
    for (int i = 0; i < 100; ++i)
        CHECK(of.take(good, {0, 0}) == next_step::next_round);
    CHECK(of.take(stopped, {0, 0, false}) == next_step::finished);
    const auto verdict = std::move(of).verdict();
    CHECK(verdict.result == outcome::passed);
    CHECK(verdict.notes == std::vector<std::string>{"it ran 100 times"});
}

} // namespace

int main() {
    return check::run();
}
