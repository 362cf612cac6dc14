// SPDX-License-Identifier: Apache-2.0
// Verdicts: every pair of what a test said and how its process ended.
#include "run/verdict.hpp"

#include <csignal>

#include "check.hpp"

namespace {

using namespace bridge::cli;
using namespace bridge::protocol;

constexpr std::chrono::milliseconds allowed{7'000};

record saying(outcome result, const std::string& message = "") {
    record said("s.a");
    said.append(write_event(test_finished{"s.a", result, message, 1}));
    return said;
}

worker_end ends(ending cause, bool by_signal, int number) {
    worker_end end;
    end.cause = cause;
    end.status = {by_signal, number};
    return end;
}

const auto exits = [](int code) { return ends(ending::by_itself, false, code); };
const auto dies = [](int signal) { return ends(ending::by_itself, true, signal); };

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST("a test that says passed and exits with 0 passed") {
    CHECK(judge(saying(outcome::passed), exits(0), allowed).result == outcome::passed);
}

TEST("a test that says passed and ends in any other way crashed") {
    const auto coded = judge(saying(outcome::passed), exits(3), allowed);
    CHECK(coded.result == outcome::crashed);
    CHECK(coded.message == "its process ended with exit code 3 after the test had passed");
    const auto killed = judge(saying(outcome::passed), dies(SIGSEGV), allowed);
    CHECK(killed.result == outcome::crashed && has(killed.message, "signal 11 (SIGSEGV)"));
    CHECK(judge(saying(outcome::passed), exits(77), allowed).result == outcome::crashed);
}

TEST("a skip is a skip with 0 and with 77, and keeps its reason") {
    for (int code : {0, 77}) {
        const auto skip = judge(saying(outcome::skipped, "no net"), exits(code), allowed);
        CHECK(skip.result == outcome::skipped && skip.message == "no net");
    }
    CHECK(judge(saying(outcome::skipped), exits(1), allowed).result == outcome::crashed);
}

TEST("a time-out of what was stopped says by which signal") {
    auto end = ends(ending::timed_out, true, SIGKILL);
    CHECK(!has(judge(record("s.a"), end, allowed).message, "stopped"));
    end.stop_signal = SIGTTOU;
    CHECK(judge(record("s.a"), end, allowed).message ==
          "no result after 7s: it had been stopped by signal 22 (SIGTTOU); bridge-test ended its "
          "process group");
    CHECK(
        judge(saying(outcome::passed), end, allowed).message ==
        "the test had passed, but its process did not end within 7s: it had been stopped by signal "
        "22 (SIGTTOU)");
}

TEST("a crash that the process knew of says where") {
    record said("s.a");
    said.append(write_event(test_crashed{"s.a", "it was at x.cpp:7 in f"}));
    CHECK(judge(said, dies(SIGABRT), allowed).message ==
          "its process ended with signal 6 (SIGABRT) before the test had finished: it was at "
          "x.cpp:7 in f");
    CHECK(judge(record("s.a"), dies(SIGABRT), allowed).message ==
          "its process ended with signal 6 (SIGABRT) before the test had finished");
}

TEST("a crash after the end of the test says where, too") {
    auto said = saying(outcome::passed);
    said.append(write_event(test_crashed{"s.a", "it was at x.cpp:7 in f"}));
    CHECK(judge(said, dies(SIGABRT), allowed).message ==
          "its process ended with signal 6 (SIGABRT) after the test had passed: it was at x.cpp:7 "
          "in f");
}

TEST("a crash of which nothing is known says why, and what to do") {
    const record nothing("s.a");
    CHECK(has(explain_end(nothing, dies(SIGKILL), "x --run-exact s.a"), "dmesg"));
    CHECK(
        has(explain_end(nothing, dies(SIGSEGV), "x --run-exact s.a"), "has replaced its handler"));
    CHECK(has(explain_end(nothing, dies(SIGSEGV), "x --run-exact s.a"),
              "gdb --args x --run-exact s.a"));
    CHECK(has(explain_end(nothing, dies(SIGTERM), "x --run-exact s.a"),
              "who has sent the signal is not known"));
    CHECK(has(explain_end(nothing, exits(0), "x --run-exact s.a"),
              "a system call ended it, or exec()"));
    CHECK(has(explain_end(nothing, exits(124), "x --run-exact s.a"),
              "has closed the descriptors of the harness"));
    CHECK(has(explain_end(saying(outcome::passed), dies(SIGKILL), "x --run-exact s.a"), "dmesg"));
    CHECK(explain_end(saying(outcome::passed), exits(0), "x --run-exact s.a").empty());
    CHECK(
        explain_end(nothing, ends(ending::timed_out, true, SIGKILL), "x --run-exact s.a").empty());
    record known("s.a");
    known.append(write_event(test_crashed{"s.a", "it was at x.cpp:7 in f"}));
    CHECK(explain_end(known, dies(SIGSEGV), "x --run-exact s.a").empty());
}

TEST("a failed test says how its process ended, if that is not as usual") {
    for (const auto& end : {exits(0), exits(1), exits(124)})
        CHECK(explain_end(saying(outcome::failed), end, "x --run-exact s.a").empty());
    CHECK(explain_end(saying(outcome::failed), dies(SIGSEGV), "x --run-exact s.a") ==
          "after that its process ended with signal 11 (SIGSEGV)");
    auto said = saying(outcome::failed);
    said.append(write_event(test_crashed{"s.a", "_exit() was called at x.cpp:7 in f"}));
    CHECK(explain_end(said, exits(1), "x --run-exact s.a") ==
          "after that its process ended with exit code 1: _exit() was called at x.cpp:7 in f");
}

TEST("the time in which a process explains itself is known") {
    record said("s.a");
    CHECK(said.explained() == record::clock::duration::zero());
    said.append(write_event(test_explaining{"s.a", false}));
    const auto first = said.explained();
    CHECK(said.explained() >= first);
    said.append(write_event(test_explaining{"s.a", true}));
    const auto once = said.explained();
    CHECK(once >= first && said.explained() == once);
    said.append(write_event(test_finished{"s.a", outcome::passed, "", 1}));
    CHECK(judge(said, exits(0), allowed).result == outcome::passed);
}

TEST("a failure stays one, however the process ends") {
    for (const auto& end : {exits(0), exits(1), exits(77), dies(SIGABRT)})
        CHECK(judge(saying(outcome::failed), end, allowed).result == outcome::failed);
    CHECK(judge(saying(outcome::timed_out, "why"), exits(124), allowed).message == "why");
}

TEST("a success that told of failures is a failure") {
    for (auto told : {outcome::passed, outcome::skipped}) {
        record said("s.a");
        said.append(write_event(test_failure{"s.a", failure_kind::check, "1 == 2", "", 0}));
        said.append(write_event(test_finished{"s.a", told, "", 1}));
        CHECK(judge(said, exits(0), allowed).result == outcome::failed);
    }
    record rubbish("s.a");
    rubbish.append("rubbish\n" + write_event(test_finished{"s.a", outcome::passed, "", 1}));
    CHECK(judge(rubbish, exits(0), allowed).result == outcome::failed);
}

TEST("a process that ends without a verdict crashed, with exit code 0 too") {
    const record silent("s.a");
    for (const auto& end : {exits(0), exits(1), exits(77), dies(SIGSEGV)})
        CHECK(judge(silent, end, allowed).result == outcome::crashed);
    CHECK(
        has(judge(silent, exits(0), allowed).message, "exit code 0 before the test had finished"));
}

TEST("a time-out is one, with or without a verdict") {
    const auto end = ends(ending::timed_out, true, SIGTERM);
    const auto silent = judge(record("s.a"), end, allowed);
    CHECK(silent.result == outcome::timed_out && has(silent.message, "no result after 7s"));
    const auto told = judge(saying(outcome::passed), end, allowed);
    CHECK(told.result == outcome::timed_out);
    CHECK(has(told.message, "had passed, but its process did not end within 7s"));
    CHECK(has(judge(saying(outcome::timed_out), end, allowed).message, "had timed out, but"));
}

TEST("a test that had failed before its process had to be ended is a failure") {
    const auto end = ends(ending::timed_out, true, SIGKILL);
    const auto told = judge(saying(outcome::failed), end, allowed);
    CHECK(told.result == outcome::failed);
    CHECK(has(told.message, "its process did not end within 7s"));
}

TEST("what bridge-test stopped did not run, unless it had finished by then") {
    const auto end = ends(ending::stopped, true, SIGTERM);
    CHECK(judge(record("s.a"), end, allowed).result == outcome::not_run);
    CHECK(judge(saying(outcome::passed), end, allowed).result == outcome::passed);
    CHECK(judge(saying(outcome::failed), end, allowed).result == outcome::failed);
}

} // namespace

int main() {
    return check::run();
}
