# SPDX-License-Identifier: Apache-2.0
"""The parts of a run, merged: the same report, summary and exit code as of the whole."""

import os
import re
import signal
import unittest
import xml.etree.ElementTree

from driver import RunnerTest, fixture


def without_times(path):
    with open(path, "rb") as file:
        root = xml.etree.ElementTree.fromstring(file.read())
    for element in root.iter():
        for name in ("time", "timestamp"):
            element.attrib.pop(name, None)
    return xml.etree.ElementTree.tostring(root).decode()


class MergeTest(RunnerTest):
    def log(self, name):
        return os.path.join(self.folder, f"{name}.ndjson")

    def part(self, name, *words):
        """A run of some tests; returns its log."""
        self.run_tests(*words, "--report-log", self.log(name), junit=False)
        return self.log(name)

    def merge(self, *logs, **options):
        return self.run_tests("merge", *logs, **options)


class Merge(MergeTest):
    words = (fixture("five"), fixture("broken"), "--skip", "floods", "--grace", "200ms", "-j4")

    def test_the_parts_are_the_whole(self):
        whole = os.path.join(self.folder, "whole.xml")
        all_of_it = self.run_tests(*self.words, "--junit", whole, junit=False)
        first = self.part("1", *self.words, "--skip", "s_")
        second = self.part("2", *self.words, "s_")
        merged = self.merge(second, first)
        self.assertEqual(merged.code, all_of_it.code)
        self.assertEqual(without_times(self.junit), without_times(whole))
        counts = re.compile(r"Summary \[[^]]*\] (.*)")
        self.assertEqual(counts.search(merged.out)[1], counts.search(all_of_it.out)[1])

    def test_shards_of_a_thousand_tests(self):
        self.environment["FIXTURE_COUNT"] = "1000"
        whole = os.path.join(self.folder, "whole.xml")
        self.run_tests(fixture("many"), "-q", "--junit", whole, junit=False)
        parts = [self.part(k, fixture("many"), "--shard", f"{k}/4") for k in (1, 2, 3, 4)]
        merged = self.merge(*parts)
        self.assertEqual(merged.code, 1)  # every 100th fails
        self.assertIn("1000 tests run: 990 passed, 10 failed", merged.out)
        self.assertEqual(without_times(self.junit), without_times(whole))

    def test_attempts_are_merged(self):
        self.environment["FIXTURE_LOG"] = self.log("calls")
        log = self.part("1", fixture("orderly"), "crashes_once", "always_fails", "--retries", "1")
        merged = self.merge(log)
        self.assertIn("2 tests run: 1 passed, 1 of them flaky, 1 failed", merged.out)
        self.assertIsNotNone(merged.case("crashes_once").find("flakyError"))
        self.assertIsNotNone(merged.case("always_fails").find("rerunFailure"))

    def test_an_empty_shard_is_a_part(self):
        parts = [self.part(k, fixture("five"), "passing", "--shard", f"{k}/3") for k in (1, 2, 3)]
        self.assertIn("1 test run: 1 passed", self.merge(*parts).out)

    def test_what_was_merged_can_be_merged(self):
        parts = [self.part(name, fixture("five"), name) for name in ("passing", "failing", "skipped")]
        self.merge(*parts[:2], "--report-log", self.log("two"))
        merged = self.merge(self.log("two"), parts[2])
        self.assertIn("3 tests run: 1 passed, 1 failed, 1 skipped", merged.out)

    def test_exit_codes(self):
        passed = self.part("passed", fixture("five"), "passing")
        failed = self.part("failed", fixture("five"), "failing")
        self.environment["FIXTURE_LISTING"] = "exit"
        unlisted = self.part("unlisted", fixture("liar"), fixture("five"), "skipped")
        for logs, code in (((passed,), 0), ((passed, failed), 1), ((passed, failed, unlisted), 10)):
            with self.subTest(logs):
                self.assertEqual(self.merge(*logs).code, code)

    def test_it_shows_failures_and_with_v_everything(self):
        logs = [self.part(name, fixture("five"), name) for name in ("passing", "failing")]
        self.assertNotIn("PASS", self.merge(*logs).out)
        self.assertIn("fixture.cpp:7: 1 == 2", self.merge(*logs).out)
        self.assertRegex(self.merge(*logs, "-v").out, r"PASS \[.*five\.passing")

    def test_an_interrupted_part_makes_an_interrupted_whole(self):
        announcements = self.fifo()
        process = self.start(fixture("helpful"), "wait.up", "--report-log", self.log("1"), junit=False)
        announcements.wait_for("up")
        process.send_signal(signal.SIGINT)
        self.finish(process)
        merged = self.merge(self.log("1"), self.part("2", fixture("five"), "passing"))
        self.assertEqual(merged.code, 2)
        self.assertIn("1 test run: 1 passed, 1 not run", merged.out)

    def test_a_part_that_did_not_end_is_told(self):
        log = self.part("1", fixture("five"), "passing", "failing", "-j1")
        with open(log) as file:
            lines = file.readlines()
        with open(log, "w") as file:
            file.writelines([*lines[:3], lines[3][:40]])
        merged = self.merge(log)
        self.assertEqual(merged.code, 10)
        self.assertIn("the run that wrote this log did not end", merged.err)
        self.assertEqual(merged.verdict("passing"), ("passed", None))
        self.assertEqual(merged.verdict("(listing)"), ("error", "listing"))

    def test_a_part_that_is_not_there_is_told(self):
        self.environment["FIXTURE_COUNT"] = "30"
        parts = [self.part(k, fixture("many"), "--shard", f"{k}/3") for k in (1, 2, 3)]
        self.assertEqual(self.merge(*parts).code, 0)
        merged = self.merge(parts[0], parts[2])
        self.assertEqual(merged.code, 10)
        self.assertIn("shard 2/3: no log of this part was given", merged.err)

    def test_a_log_that_lacks_tests_is_told(self):
        log = self.part("1", fixture("five"), "passing", "skipped")
        with open(log) as file:
            lines = file.readlines()
        ends = [line for line in lines if '"test.finished"' in line]
        with open(log, "w") as file:
            file.writelines(line for line in lines if line != ends[0])
        merged = self.merge(log)
        self.assertEqual(merged.code, 10)
        self.assertIn("1 of its tests have no end in this log", merged.err)

    def test_two_logs_in_one_file_of_which_one_did_not_end(self):
        first, second = (self.part(name, fixture("five"), name) for name in ("passing", "skipped"))
        with open(first) as file:
            begun = file.readlines()[:-1]
        with open(second) as file:
            whole = file.readlines()
        with open(first, "w") as file:
            file.writelines(begun + whole)
        merged = self.merge(first)
        self.assertEqual(merged.code, 10)
        self.assertIn("the run that wrote this log did not end", merged.err)

    def test_logs_after_dashes_are_logs(self):
        first, second = (self.part(name, fixture("five"), name) for name in ("passing", "failing"))
        self.assertEqual(self.merge(first, "--", second, junit=False).code, 1)

    def test_a_problem_that_all_parts_had_is_one(self):
        self.environment["FIXTURE_LISTING"] = "exit"
        logs = [self.part(name, fixture("liar"), fixture("five"), name)
                for name in ("passing", "failing")]
        self.assertEqual(len(list(self.merge(*logs).report.iter("error"))), 1)


class Refused(MergeTest):
    def check(self, words, message):
        run = self.merge(*words, junit=False)
        self.assertEqual((run.code, run.out), (4, ""))
        self.assertRegex(run.err, message)

    def test_parts_that_share_a_test(self):
        logs = [self.part(name, fixture("five"), "passing") for name in ("a", "b")]
        self.check(logs, r"five\.passing is in .*a\.ndjson and in .*b\.ndjson: merge takes the parts")

    def test_nothing(self):
        self.check([], r"merge: name the report logs to merge \(--report-log of a run writes one\)")

    def test_what_is_no_log(self):
        self.check([fixture("five")], ":1: this is not a line of a report log")
        self.check([self.folder], rf"{self.folder} is a folder; name the report logs in it\n")
        self.check(["none.ndjson"], "cannot read the report log none.ndjson: No such file")

    def test_durations_that_cannot_be(self):
        log = self.part("a", fixture("five"), "passing")
        with open(log, encoding="utf-8") as file:
            text = file.read()
        for duration in ("-1", "1e300", "1e10"):
            with open(log, "w", encoding="utf-8") as file:
                file.write(re.sub(r'"duration_s":[^,}]+', f'"duration_s":{duration}', text, count=1))
            self.check([log], r"a\.ndjson:3: this is not a line of a report log")

    def test_options_of_a_run(self):
        for words in (["-j2"], ["--exact", "a"], ["--timeout", "5s"], ["--format", "json"]):
            self.check(["a.ndjson", *words], "has no meaning for 'bridge-test merge'")


if __name__ == "__main__":
    unittest.main()
