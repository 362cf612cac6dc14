# SPDX-License-Identifier: Apache-2.0
"""Who asks addr2line where a process is, and how long that may take: it costs lines, and never a verdict."""

import os
import re
import stat
import unittest

from test_corpus import KNOWS_PLACES, CorpusTest, text_of

TOO_SLOW = "(not all functions and lines are known: addr2line did not end within 10 s of the processor's time, or 40 s"

# Of a test of 400 ms and 300 ms more that did not come to its end before.
NOT_IN_TIME = "did not end within 400ms: nobody has", "no result after 700ms"

# With `$real` in it, the tool itself.
SLOW = 'sleep 5; exec "$real" "$@"'
LIMITS = 'ulimit -t >"$log/seconds"; exec "$real" "$@"'


def ends_at(signal):
    """One whole line of what it is asked, and the begin of another, then it runs into a limit."""
    return (
        'echo run >>"$log/runs"\n'
        "shift 3\n"
        'printf "0x%s: first_function at /first.cpp:1\\n0x%s: second_function at /second.cpp:22" "$1" "$2"\n'
        f"kill -{signal} $$"
    )


@unittest.skipUnless(KNOWS_PLACES, "its programs have no lines")
class Explaining(CorpusTest):
    def use_tool(self, text):
        """In place of addr2line."""
        place = os.path.join(self.folder, "tools")
        os.makedirs(place, exist_ok=True)
        path = os.path.join(place, "addr2line")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nreal=/usr/bin/addr2line log="{self.folder}"\n{text}\n')
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        self.environment["PATH"] = place + os.pathsep + self.environment["PATH"]

    def log(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()

    def test_its_time_is_not_the_tests(self):
        """It takes longer than these tests may, and what they may take beyond it."""
        self.use_tool(SLOW)
        tests = ("hangs.blocks", "hangs.holds_the_gil", "hangs.spins_in_python", "hangs.awaits_for_ever")
        for test, run in self.run_each(tests=tests, grace="2s").items():
            with self.subTest(test):
                self.check(test, run)

    def test_its_time_is_not_that_of_a_test_that_ends_its_process(self):
        """Nobody else is to end it meanwhile. On a busy machine the test may not come to its end in time."""
        self.use_tool(SLOW)
        left = ("ends.segfaults", "ends.aborts", "ends.crashes_on_a_native_thread", "ends.exits_at_once")
        for _ in range(10):
            runs = self.run_each("--timeout", "400ms", tests=left, grace="300ms")
            left = tuple(test for test, run in runs.items() if any(one in run.out for one in NOT_IN_TIME))
            for test in set(runs) - set(left):
                with self.subTest(test):
                    self.check(test, runs[test])
        self.assertEqual(left, ())

    def test_a_throw_is_placed_however_long_it_takes(self):
        self.use_tool(SLOW)
        self.check("ends.throws_a_number", self.run_one("ends.throws_a_number", "--timeout", "1s", grace="300ms"))

    def test_its_limits(self):
        self.use_tool(LIMITS)
        self.check("hangs.blocks", self.run_one("hangs.blocks"))
        self.assertEqual(self.log("seconds"), "10\n")

    def test_who_runs_into_a_limit_has_said_whole_lines(self):
        for signal in ("ALRM", "XCPU"):
            with self.subTest(signal):
                self.use_tool(ends_at(signal))
                run = self.run_one("hangs.blocks")
                (case,) = run.report.iter("testcase")
                output = case.find("system-out").text
                self.assertIn(TOO_SLOW, output)
                self.assertIn("/first.cpp:1 in first_function\n", output)
                self.assertNotIn("second", output + text_of(case))
                self.assertRegex(text_of(case), "did not end within 300ms: its function has not returned")
                self.assertRegex(run.out, r"(?m)^ *TIMEOUT .* hangs\.blocks")

    def test_who_was_too_slow_is_not_asked_again(self):
        self.use_tool(ends_at("XCPU"))
        run = self.run_one("hangs.locks_a_mutex_and_the_gil")
        self.assertRegex(run.out, r"(?m)^ *TIMEOUT .* hangs\.locks_a_mutex_and_the_gil")
        self.assertEqual(len(re.findall(re.escape(TOO_SLOW), run.out)), 1)
        self.assertEqual(self.log("runs"), "run\n")

    def test_a_tool_that_fails_costs_the_lines(self):
        self.use_tool("echo not an answer; exit 1")
        run = self.run_one("ends.aborts")
        self.assertRegex(run.out, r"(?m)^ *CRASH .* ends\.aborts")
        (case,) = run.report.iter("testcase")
        self.assertIn("before the test had finished: its stacks are in its output", text_of(case))
        self.assertRegex(case.find("system-out").text, r"\n    corpus\(.*\+0x[0-9a-f]+\)\n")


if __name__ == "__main__":
    unittest.main()
