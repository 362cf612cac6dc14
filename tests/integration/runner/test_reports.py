# SPDX-License-Identifier: Apache-2.0
"""Where reports are written, and what happens when they cannot be."""

import json
import os
import re
import resource
import signal
import unittest
import xml.etree.ElementTree

import junit_rules
from driver import RunnerTest, fixture

HARNESS = os.environ["BRIDGE_TEST_HARNESS_FIXTURE"]


class Junit(RunnerTest):
    def plain(self, *words, **options):
        """A run whose report is not the usual file."""
        return self.run_tests(*words, junit=False, **options)

    def test_a_folder_that_is_not_there_is_told_before_the_run(self):
        self.junit = os.path.join(self.folder, "none", "out.xml")
        run = self.run_tests(fixture("five"))
        self.assertEqual((run.code, run.out), (14, ""))
        self.assertIn(f"cannot write the report {self.junit}: the folder", run.err)
        self.assertIn("does not exist; create it first", run.err)

    def test_a_folder_is_no_file(self):
        run = self.plain(fixture("five"), "passing", "--junit", self.folder)
        self.assertEqual(run.code, 14)
        self.assertIn("it is a folder; name a file", run.err)

    def test_a_file_is_no_folder(self):
        self.junit = os.path.join(fixture("five"), "out.xml")
        run = self.run_tests(fixture("five"))
        self.assertEqual(run.code, 14)
        self.assertIn("is not a folder; name another place", run.err)

    def test_a_name_that_no_file_can_have_is_told_before_the_run(self):
        run = self.plain(fixture("five"), "--junit", os.path.join(self.folder, "x" * 255))
        self.assertEqual((run.code, run.out), (14, ""))
        self.assertRegex(run.err, "cannot write the report .*x: File name too long\n")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_folder_that_goes_away_during_the_run_is_told_after_it(self):
        folder = os.path.join(self.folder, "gone")
        os.mkdir(folder)
        self.environment["FIXTURE_FOLDER"] = folder
        self.junit = os.path.join(folder, "out.xml")
        run = self.run_tests(fixture("helpful"), "mark.removes")
        self.assertEqual(run.code, 14)
        self.assertIn("1 test run: 1 passed", run.out)
        self.assertIn(f"cannot write the report {self.junit}: No such file", run.err)

    def test_a_full_disk(self):
        run = self.plain(fixture("five"), "passing", "--junit", "/dev/full")
        self.assertEqual(run.code, 14)
        self.assertIn("cannot write the report /dev/full: No space left", run.err)

    def test_output_that_is_lost_on_a_full_disk_is_no_success(self):
        with open("/dev/full", "w") as full:
            run = self.plain(fixture("five"), "passing", stdout=full)
        self.assertEqual(run.code, 14)
        self.assertEqual(run.err, "bridge-test: the output could not be written: "
                                  "No space left on device\n")

    def test_an_exception_is_named_in_the_message_the_annotation_and_on_the_terminal(self):
        run = self.run_tests(HARNESS, "--exact", "fixture.raises", "--github", "always")
        failure = run.case("raises").find("failure")
        self.assertEqual(failure.get("message"), "ValueError: raised by the test")
        self.assertIn("Traceback (most recent call last):", failure.text)
        self.assertRegex(run.out, r"(?m)^::error .*::ValueError: raised by the test%0A")
        self.assertRegex(run.out, r"(?m)^  \S+fixture.cpp:\d+: exception: ValueError: raised by the test$")

    def test_an_old_report_is_replaced_and_nothing_else_is_left(self):
        for name in ("passing", "skipped"):
            run = self.run_tests(fixture("five"), name)
            self.assertEqual([one.get("name") for one in run.report.iter("testcase")], [name])
        self.assertEqual(sorted(os.listdir(self.folder)), [".cache", "out.xml"])

    def test_a_failure_outranks_nothing_but_success(self):
        run = self.plain(fixture("five"), "failing", "--junit", "/dev/full")
        self.assertEqual(run.code, 14)

    def test_the_report_can_go_to_stdout(self):
        run = self.plain(fixture("five"), "passing", "-q", "--junit", "/dev/stdout")
        self.assertEqual(run.code, 0)
        self.assertIn('<testcase name="passing"', run.out)

    def test_the_report_can_go_to_a_stdout_that_is_a_file(self):
        path = os.path.join(self.folder, "stdout")
        with open(path, "w") as stdout:
            words = (fixture("five"), "passing", "--junit", "/dev/stdout")
            run = self.run_tests(*words, junit=False, stdout=stdout)
        self.assertEqual(run.code, 0)
        with open(path) as file:
            text = file.read()
        self.assertRegex(text, r"(?s)PASS.*Summary.*<testcase.*</testsuites>\n$")


    def test_a_disk_that_is_full_in_the_end(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        path = os.path.join(self.folder, "old.xml")
        with open(path, "w") as file:
            file.write("the old one")
        run = self.plain(fixture("five"), "passing", "--junit", path, preexec_fn=limit)
        self.assertEqual(run.code, 14)
        self.assertIn("1 test run: 1 passed", run.out)
        self.assertIn(f"cannot write the report {path}: File too large", run.err)
        with open(path) as file:
            self.assertEqual(file.read(), "the old one")
        self.assertEqual([one for one in os.listdir(self.folder) if "old" in one], ["old.xml"])

    def test_attempts_are_in_the_case(self):
        self.environment["FIXTURE_LOG"] = os.path.join(self.folder, "log")
        run = self.run_tests(fixture("orderly"), "passes_at_last", "crashes_once", "always_fails",
                             "--retries", "2", "-j1")
        self.assertEqual(run.code, 1)
        attempts = {case.get("name"): [(one.tag, one.get("type")) for one in case
                                       if one.tag.startswith(("flaky", "rerun", "failure"))]
                    for case in run.report.iter("testcase")}
        self.assertEqual(attempts, {
            "passes_at_last": [("flakyFailure", "check")] * 2,
            "crashes_once": [("flakyError", "crash")],
            "always_fails": [("failure", "check")] + [("rerunFailure", "check")] * 2,
        })
        first = run.case("passes_at_last")[0]
        self.assertEqual(first.find("stackTrace").text, "fixture.cpp:7: check: not yet\n")
        self.assertEqual(first.find("system-out").text, "not yet\n")

    def test_the_order_does_not_depend_on_who_is_quick(self):
        run = self.run_tests(fixture("five"), "--grace", "100ms", "-j8")
        names = [one.get("name") for one in run.report.iter("testcase")]
        self.assertEqual(names, ["crashing", "failing", "hanging", "passing", "skipped"])

    def test_the_rules_see_what_is_broken(self):
        def check(text, problem):
            found = junit_rules.problems(xml.etree.ElementTree.fromstring(text))
            self.assertTrue(any(problem in one for one in found), (text, found))

        suite = '<testsuites><testsuite name="s" tests="{}" failures="0" errors="0" skipped="0">{}'
        end = "</testsuite></testsuites>"
        check('<testsuites skipped="0"/>', "attribute skipped is unknown")
        check(suite.format(2, "") + end, "tests is 2, not 0")
        case = '<testcase name="a" classname="b"/>'
        check(suite.format(2, case + case) + end, "two cases are named")
        check(suite.format(1, '<testcase classname="b"/>') + end, "no attribute name")
        check(suite.format(0, "<testcase><error/></testcase>") + end, "errors is 0, not 1")
        check(suite.format(0, "<case/>") + end, "case may not be in it")


class ReportLog(RunnerTest):
    def setUp(self):
        super().setUp()
        self.log = os.path.join(self.folder, "run.ndjson")

    def events(self):
        with open(self.log, encoding="utf-8") as file:
            lines = file.read()
        self.assertTrue(lines.endswith("\n"))
        events = [json.loads(line) for line in lines.splitlines()]
        self.assertTrue(all(one["v"] == 1 for one in events), events)
        return events

    def test_it_has_the_whole_run(self):
        run = self.run_tests(fixture("five"), "--grace", "100ms", "-j1", "--report-log", self.log)
        self.assertEqual(run.code, 1)
        events = self.events()
        names = [one["event"] for one in events]
        self.assertEqual(names, ["run.started", *["test.started", "test.finished"] * 5, "run.finished"])
        first = events[0]
        self.assertEqual((first["tests"], first["binaries"], first["jobs"]), (5, 1, 1))
        finished = {one["id"]: one for one in events if one["event"] == "test.finished"}
        outcomes = {name.split(".")[1]: one["outcome"] for name, one in finished.items()}
        self.assertEqual(outcomes, {"passing": "passed", "failing": "failed", "hanging": "timed_out",
                                    "crashing": "crashed", "skipped": "skipped"})
        failing = finished["five.failing"]
        self.assertEqual(failing["failures"],
                         [{"kind": "check", "message": "1 == 2", "file": "fixture.cpp", "line": 7}])
        self.assertEqual((failing["output"], failing["tags"]), ("1 == 2\n", ["quick"]))
        self.assertNotIn("output", finished["five.passing"])

    def test_attempts(self):
        self.environment["FIXTURE_LOG"] = os.path.join(self.folder, "log")
        self.run_tests(fixture("orderly"), "crashes_once", "--retries", "2", "--report-log", self.log)
        retried, finished = self.events()[2], self.events()[-2]
        self.assertEqual((retried["event"], retried["outcome"]), ("test.retried", "crashed"))
        self.assertEqual((retried["attempt"], retried["attempts"]), (1, 3))
        self.assertEqual((finished["event"], finished["outcome"]), ("test.finished", "passed"))
        self.assertEqual([one["outcome"] for one in finished["earlier"]], ["crashed"])

    def test_it_is_written_while_the_run_goes_on(self):
        announcements = self.fifo()
        process = self.start(fixture("helpful"), "wait.up", "--report-log", self.log)
        announcements.wait_for("up")
        self.assertEqual([one["event"] for one in self.events()], ["run.started", "test.started"])
        process.send_signal(signal.SIGINT)
        self.finish(process)
        events = self.events()
        self.assertEqual([one["event"] for one in events][2:],
                         ["run.stopping", "test.finished", "run.finished"])
        self.assertEqual((events[2]["reason"], events[3]["outcome"]), ("interrupted", "not_run"))

    def test_while_stdout_is_closed_it_holds_nothing_else(self):
        for number in (1, 2):
            run = self.run_tests(fixture("five"), "passing", "failing", "--report-log", self.log,
                                 preexec_fn=lambda: os.close(number))
            self.assertEqual(run.code, 1)
            self.assertEqual(len(self.events()), 6)
            os.remove(self.log)

    def test_the_run_s_time_is_over(self):
        words = (fixture("five"), "hanging", "--timeout", "1m", "--run-timeout", "200ms")
        run = self.run_tests(*words, "--report-log", self.log, "--github", "always")
        self.assertEqual(run.code, 12)
        self.assertEqual(self.events()[2]["reason"], "run_timeout")
        self.assertEqual(run.verdict("hanging")[0], "skipped")

    def test_any_bytes(self):
        self.run_tests(fixture("broken"), "writes_no_text", "--report-log", self.log)
        (finished,) = [one for one in self.events() if one["event"] == "test.finished"]
        self.assertIn("\x00\x01", finished["output"])
        self.assertIn("\\xfe\\xff", finished["output"])

    def test_a_binary_that_cannot_be_listed(self):
        self.environment["FIXTURE_LISTING"] = "exit"
        run = self.run_tests(fixture("liar"), fixture("five"), "passing", "--report-log", self.log)
        self.assertEqual(run.code, 10)
        first = self.events()[0]
        self.assertEqual((first["event"], first["binary"]), ("list.failed", fixture("liar")))

    def test_a_full_disk_is_told_once_and_the_tests_run(self):
        run = self.run_tests(fixture("five"), "passing", "--report-log", "/dev/full")
        self.assertEqual(run.code, 14)
        self.assertEqual(run.err.count("cannot write the report /dev/full: No space left"), 1)
        self.assertEqual(run.verdict("passing"), ("passed", None))  # the other report is whole

    def test_a_disk_that_becomes_full(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))

        run = self.run_tests(fixture("five"), "--grace", "100ms", "-j1", "--report-log", self.log,
                             junit=False, preexec_fn=limit)
        self.assertEqual(run.code, 14)
        self.assertIn("5 tests run", run.out)
        self.assertIn("File too large", run.err)

    def test_a_folder_that_is_not_there_is_told_before_the_run(self):
        run = self.run_tests(fixture("five"), "--report-log", "/no/such/log")
        self.assertEqual((run.code, run.out), (14, ""))
        self.assertIn("cannot write the report /no/such/log: No such file or directory", run.err)

    def test_a_descriptor_of_the_caller(self):
        read, write = os.pipe()
        process = self.start(fixture("five"), "passing", "--report-log", f"/dev/fd/{write}",
                             pass_fds=[write])
        os.close(write)
        self.finish(process)
        with os.fdopen(read) as pipe:
            self.assertEqual(pipe.read().count("\n"), 4)


class GitHub(RunnerTest):
    def setUp(self):
        super().setUp()
        self.summary = os.path.join(self.folder, "summary.md")
        self.environment |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": self.summary}

    def test_each_failure_is_an_annotation(self):
        run = self.run_tests(fixture("five"), "--grace", "100ms")
        annotations = [line for line in run.out.splitlines() if line.startswith("::error")]
        self.assertEqual(sorted(annotations), [
            "::error file=fixture.cpp,line=7,title=CRASH five.crashing::its process ended with "
            "signal 11 (SIGSEGV) before the test had finished",
            "::error file=fixture.cpp,line=7,title=FAIL five.failing::1 == 2",
            "::error file=fixture.cpp,line=7,title=TIMEOUT five.hanging::no result after 400ms; "
            "bridge-test ended its process group",
        ])
        self.assertGreater(run.out.index("::error"), run.out.index("Summary ["))

    def test_it_is_there_in_github_actions_or_by_option(self):
        for environment, words, is_there in (
            ("true", (), True),
            ("true", ("--github", "never"), False),
            ("false", (), False),
            ("", ("--github", "always"), True),
        ):
            with self.subTest(environment=environment, words=words):
                self.environment["GITHUB_ACTIONS"] = environment
                run = self.run_tests(fixture("five"), "failing", *words)
                self.assertEqual("::error " in run.out, is_there)

    def test_a_flaky_test_is_a_warning(self):
        self.environment["FIXTURE_LOG"] = os.path.join(self.folder, "log")
        run = self.run_tests(fixture("orderly"), "crashes_once", "--retries", "1")
        self.assertEqual(run.code, 0)
        self.assertIn("\n::warning file=fixture.cpp,line=7,title=FLAKY try.crashes_once::"
                      "passed at attempt 2\n", run.out)
        self.assertIn("\nFlaky:\n          try.crashes_once: passed at attempt 2\n", run.out)
        with open(self.summary) as file:
            self.assertIn("| FLAKY | try.crashes\\_once | passed at attempt 2 |", file.read())

    def test_a_test_cannot_give_commands(self):
        run = self.run_tests(fixture("helpful"), "mark.commands", "-v")
        stop, *middle, resume = re.findall(r"(?m)^ *(::.*)$", run.out)
        token = stop.removeprefix("::stop-commands::")
        self.assertEqual(resume, f"::{token}::")
        self.assertRegex(token, r"^bridge-test-[0-9a-f]{16}$")
        self.assertEqual(middle, ["::error::from the test"])

    def test_commands_are_resumed_when_there_is_no_run(self):
        run = self.run_tests("no-such-word-anywhere", junit=False)
        self.assertRegex(run.out, r"^::stop-commands::(\S+)\n::\1::\n$")

    def test_a_binary_that_is_listed_cannot_give_commands_either(self):
        path = os.path.join(self.folder, "odd")
        with open(path, "w") as file:
            file.write("#!/bin/sh\necho '::error::from the binary' >&2\nexit 3\n")
        os.chmod(path, 0o755)
        run = self.run_tests("list", path, junit=False)
        self.assertEqual((run.code, run.out), (10, ""))
        self.assertRegex(run.err, r"^::stop-commands::(\S+)\n(?s:.*)\n::error::from the binary\n"
                                  r"(?s:.*)::\1::\n")
        self.environment["GITHUB_ACTIONS"] = "false"
        self.assertNotIn("::stop", self.run_tests("list", path, junit=False).err)

    def test_the_summary_is_added_to_what_is_there(self):
        with open(self.summary, "w") as file:
            file.write("before\n")
        self.run_tests(fixture("five"), "--grace", "100ms")
        with open(self.summary) as file:
            text = file.read()
        self.assertTrue(text.startswith("before\n### ❌ bridge-test: 1 of 5 tests passed in "), text)
        self.assertIn("| FAIL | five.failing | 1 == 2 |\n", text)
        self.assertIn("| CRASH | five.crashing | its process ended with signal 11", text)
        self.assertIn("<details><summary>five.failing</summary>", text)

    def test_a_green_run_has_a_short_one(self):
        self.run_tests(fixture("five"), "passing")
        with open(self.summary) as file:
            self.assertRegex(file.read(), r"^### ✅ bridge-test: 1 of 1 tests passed in 0\.\d s\n\n\n\n$")

    def test_any_bytes(self):
        run = self.run_tests(fixture("broken"), "writes_no_text")
        (annotation,) = [line for line in run.out.splitlines() if line.startswith("::error")]
        self.assertNotIn("\x1b", annotation)
        with open(self.summary, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("]]&gt; &lt;/system-out&gt;", text)
        self.assertNotIn("\0", text)

    def test_a_summary_that_cannot_be_written(self):
        self.environment["GITHUB_STEP_SUMMARY"] = "/dev/full"
        run = self.run_tests(fixture("five"), "passing")
        self.assertEqual(run.code, 14)
        self.assertIn("cannot write the report /dev/full: No space left", run.err)


if __name__ == "__main__":
    unittest.main()
