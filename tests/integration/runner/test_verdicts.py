# SPDX-License-Identifier: Apache-2.0
"""Every way in which a test can end: its verdict, the exit code, the report, the time it takes."""

import resource
import unittest

from driver import RunnerTest, fixture

FAILURE = ("failure", "check")
CRASH = ("error", "crash")
TIMEOUT = ("error", "timeout")

# test of fixtures/broken.cpp: label, element of the report, part of the message
BROKEN = {
    "segfaults": ("CRASH", CRASH, "signal 11 (SIGSEGV) before the test had finished"),
    "aborts": ("CRASH", CRASH, "signal 6 (SIGABRT) before the test had finished"),
    "exits_without_verdict": ("CRASH", CRASH, "exit code 0 before the test had finished"),
    "exits_with_3": ("CRASH", CRASH, "exit code 3 before the test had finished"),
    "hangs": ("TIMEOUT", TIMEOUT, "no result after 300ms"),
    "ignores_term": ("TIMEOUT", TIMEOUT, "no result after 300ms"),
    "stops_itself": ("TIMEOUT", TIMEOUT, "no result after 300ms"),
    "floods": ("FAIL", FAILURE, "flooded"),
    "writes_no_text": ("FAIL", ("failure", "protocol"), "not one JSON object"),
    "leaves_grandchild": ("PASS", ("passed", None), "left processes behind"),
    "babbles_events": ("FAIL", ("failure", "protocol"), "reported failures"),
    "speaks_for_another": ("CRASH", CRASH, "exit code 0 before the test had finished"),
    "says_half_a_line": ("CRASH", CRASH, "exit code 0 before the test had finished"),
    "passes_then_hangs": ("TIMEOUT", TIMEOUT, "had passed, but its process did not end"),
    "passes_then_aborts": ("CRASH", CRASH, "signal 6 (SIGABRT) after the test had passed"),
    "fails_then_hangs": ("FAIL", FAILURE, "had failed, but its process did not end"),
    "fails_but_exits_0": ("FAIL", FAILURE, "1 == 2"),
    "fails_but_says_passed": ("CRASH", CRASH, "exit code 1 after the test had passed"),
    "times_out_by_itself": ("TIMEOUT", TIMEOUT, "loop blocked in native code"),
    "closes_everything": ("CRASH", CRASH, "exit code 0 before the test had finished"),
    "moves_to_another_group": ("TIMEOUT", TIMEOUT, "no result after 300ms"),
    "kills_its_group": ("CRASH", CRASH, "signal 9 (SIGKILL) before the test had finished"),
}


def allow_descriptors(count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


class Broken(RunnerTest):
    def test_each_has_its_verdict(self):
        for name, (label, element, message) in BROKEN.items():
            with self.subTest(name):
                run = self.run_tests(
                    fixture("broken"), "--exact", f"broken.{name}", "--grace", "100ms"
                )
                self.assertEqual(run.code, 0 if label == "PASS" else 1, run.out)
                self.assertRegex(run.out, rf"(?m)^ *{label} \[ *\d+\.\d{{3}}s\] broken\.{name}")
                self.assertIn(message, run.out)
                self.assertEqual(run.verdict(name), element)
                self.assertLess(run.seconds, 10)
                self.assertEqual(run.err, "")

    def test_none_hides_another(self):
        run = self.run_tests(fixture("broken"), "--grace", "100ms", "-j8")
        self.assertEqual(run.code, 1)
        for name, (_, element, _) in BROKEN.items():
            self.assertEqual(run.verdict(name), element, name)
        self.assertEqual(run.report.get("tests"), str(len(BROKEN)))
        self.assertIn(f"{len(BROKEN)} tests run: 1 passed, 5 failed, 6 timed out, 10 crashed",
                      run.out)


    def test_the_last_words_are_never_lost(self):
        # The end of a process and the end of its pipe are noticed in any order.
        for _ in range(25):
            run = self.run_tests(fixture("broken"), "babbles", "fails_but", "by_itself", "-j8")
            self.assertIn("4 tests run: 2 failed, 1 timed out, 1 crashed", run.out)


    def test_a_stopped_one_is_woken_to_be_ended(self):
        run = self.run_tests(fixture("broken"), "--exact", "broken.stops_itself", "--grace", "1ms")
        text = run.case("stops_itself").find("system-out").text
        self.assertEqual(text, "woken, and asked to end\n")


class Five(RunnerTest):
    def test_the_five_verdicts(self):
        run = self.run_tests(fixture("five"), "--grace", "100ms")
        self.assertEqual(run.code, 1)
        self.assertEqual(run.verdict("passing"), ("passed", None))
        self.assertEqual(run.verdict("failing"), FAILURE)
        self.assertEqual(run.verdict("hanging"), TIMEOUT)
        self.assertEqual(run.verdict("crashing"), CRASH)
        self.assertEqual(run.verdict("skipped"), ("skipped", None))
        for line in (
            r"PASS \[ *\d\.\d{3}s\] five\.passing",
            r"FAIL \[ *\d\.\d{3}s\] five\.failing",
            r"TIMEOUT \[ *\d\.\d{3}s\] five\.hanging: no result after 400ms",
            r"CRASH \[ *\d\.\d{3}s\] five\.crashing: its process ended with signal 11",
            r"SKIP \[ *\d\.\d{3}s\] five\.skipped: no network here",
            r"Summary \[ *\d\.\d{3}s\] 5 tests run: "
            r"1 passed, 1 failed, 1 timed out, 1 crashed, 1 skipped",
        ):
            self.assertRegex(run.out, rf"(?m)^ *{line}")
        self.assertIn("fixture.cpp:7: 1 == 2\n", run.out)

    def test_the_counts_of_the_report(self):
        report = self.run_tests(fixture("five"), "--grace", "100ms").report
        for element in (report, *report.iter("testsuite")):
            counts = [element.get(key) for key in ("tests", "failures", "errors")]
            self.assertEqual(counts, ["5", "1", "2"])
        (suite,) = report.iter("testsuite")
        self.assertEqual(suite.get("skipped"), "1")
        self.assertEqual(suite.get("name"), "five")
        for case in suite:
            self.assertEqual(case.get("classname"), "five.five")
            self.assertEqual((case.get("file"), case.get("line")), ("fixture.cpp", "7"))
            self.assertGreaterEqual(float(case.get("time")), 0)

    def test_the_line_that_runs_a_failure_again_does(self):
        run = self.run_tests(fixture("five"), "--exact", "five.failing")
        (line,) = [one for one in run.out.splitlines() if "again: " in one]
        words = line.split("again: ")[1].split()
        again = self.run_tests(*words[1:])
        self.assertEqual(again.code, 1)
        self.assertIn("1 test run: 1 failed", again.out)


class Output(RunnerTest):
    def test_of_a_flood_both_ends_are_kept(self):
        run = self.run_tests(fixture("broken"), "--exact", "broken.floods")
        text = run.case("floods").find("system-out").text
        self.assertLess(len(text), 1024 * 1024)
        self.assertIn("the first line\n", text)
        self.assertIn("the last line\n", text)
        self.assertRegex(text, r"\[\.\.\. \d{8} bytes of output dropped \.\.\.\]")

    def test_bytes_that_are_no_text_are_escaped(self):
        run = self.run_tests(fixture("broken"), "--exact", "broken.writes_no_text")
        text = run.case("writes_no_text").find("system-out").text
        for shown in (text, run.out):
            self.assertIn("\\xff", shown)
            self.assertIn("\\x1b[2J", shown)
            self.assertIn("]]> </system-out>", shown)
            self.assertNotIn("\x1b", shown)

    def test_of_a_passing_test_it_is_shown_only_when_asked_for(self):
        words = (fixture("helpful"), "mark.prints")
        self.assertNotIn("printed by", self.run_tests(*words).out)
        self.assertIn("    printed by the test\n", self.run_tests(*words, "-v").out)

    def test_without_capture_it_goes_straight_through(self):
        run = self.run_tests(fixture("helpful"), "mark.prints", "--no-capture")
        self.assertRegex(run.out, r"START mark\.prints a name with spaces\nprinted by the test\n")


class Surroundings(RunnerTest):
    def check(self, name, *words, **options):
        run = self.run_tests(fixture("helpful"), "--exact", name, *words, **options)
        self.assertEqual(run.code, 0, run.out + run.err)

    def test_a_test_knows_that_it_is_one(self):
        self.check("look.environment")

    def test_a_test_has_no_descriptors_but_its_own(self):
        self.check("look.descriptors")

    def test_a_test_has_its_signals_as_they_were(self):
        self.check("look.signals")

    def test_a_time_out_is_passed_on(self):
        self.check("look.timeout", "--timeout", "1.5")

    def test_what_the_system_refuses_is_said(self):
        run = self.run_tests(fixture("five"), junit=False, preexec_fn=lambda: allow_descriptors(8))
        self.assertEqual((run.code, run.out), (3, ""))
        self.assertRegex(run.err, r"^bridge-test: could not get a system resource needed to run tests: .*Too many open files")
        self.assertEqual(run.err.count("\n"), 1)

    def test_descriptors_for_fewer_tests_than_asked_for(self):
        run = self.run_tests(fixture("five"), junit=False, preexec_fn=lambda: allow_descriptors(14))
        self.assertEqual(run.code, 10, run.out + run.err)
        self.assertIn("run fewer tests at a time (-j)", run.out + run.err)


if __name__ == "__main__":
    unittest.main()
