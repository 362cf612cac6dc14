# SPDX-License-Identifier: Apache-2.0
"""Bazel's part acted out: sets what it sets for a test, and looks at what it looks at."""

import json
import os
import signal
import time
import unittest

from driver import BOUND, RunnerTest, fixture


class BazelTest(RunnerTest):
    def setUp(self):
        super().setUp()
        kept = {name: value for name, value in self.environment.items() if name == "PATH"}
        self.environment = {
            **kept,
            "BAZEL_TEST": "1",
            "TZ": "UTC",
            "TEST_TARGET": "//net:tests",
            "TEST_SIZE": "medium",
            "TEST_TIMEOUT": "300",
            "TEST_WORKSPACE": "_main",
            "TEST_SRCDIR": self.make("runfiles"),
            "TEST_TMPDIR": self.make("tmp"),
            "TEST_UNDECLARED_OUTPUTS_DIR": self.make("outputs"),
            "TEST_PREMATURE_EXIT_FILE": self.place("premature"),
            "XML_OUTPUT_FILE": self.place("test.xml"),
        }
        self.junit = self.environment["XML_OUTPUT_FILE"]

    def place(self, name):
        return os.path.join(self.folder, name)

    def make(self, name):
        os.mkdir(self.place(name))
        return self.place(name)

    def bazel(self, *words):
        """One action of a test, as Bazel starts it; it looks at the exit code and at files."""
        return self.run_tests(*words, junit=False)

    def shard(self, index, count, *words):
        status = self.place(f"status{index}")
        self.environment |= {
            "TEST_TOTAL_SHARDS": str(count),
            "TEST_SHARD_INDEX": str(index),
            "TEST_SHARD_STATUS_FILE": status,
            # Bazel sets these, too.
            "GTEST_TOTAL_SHARDS": str(count),
            "GTEST_SHARD_INDEX": str(index),
            "GTEST_SHARD_STATUS_FILE": status,
        }
        run = self.bazel(*words)
        self.assertTrue(os.path.exists(status), "Bazel takes it for a test that knows no shards")
        return run


class Contract(BazelTest):
    def test_the_report_is_where_bazel_reads_it(self):
        run = self.bazel(fixture("five"), "--grace", "100ms")
        self.assertEqual(run.code, 1)
        self.assertEqual(run.report.get("tests"), "5")
        self.assertEqual(run.verdict("failing"), ("failure", "check"))

    def test_a_report_of_ones_own_is_written_beside_it(self):
        own = self.place("own.xml")
        run = self.bazel(fixture("five"), "passing", "--junit", own)
        self.assertEqual(run.code, 0)
        with open(own) as first, open(self.junit) as second:
            self.assertEqual(first.read(), second.read())

    def test_shards_are_the_whole(self):
        seen = []
        for index in range(3):
            run = self.shard(index, 3, fixture("five"), "--grace", "100ms")
            seen += [one.get("name") for one in run.report.iter("testcase")]
        self.assertEqual(sorted(seen), ["crashing", "failing", "hanging", "passing", "skipped"])

    def test_a_shard_without_tests_passes(self):
        codes = [self.shard(index, 7, fixture("five"), "passing").code for index in range(7)]
        self.assertEqual(codes, [0] * 7)

    def test_its_shards_count_and_not_those_of_the_ci_system_around_it(self):
        self.environment |= {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "2"}
        seen = []
        for index in range(3):
            run = self.shard(index, 3, fixture("five"), "--grace", "100ms")
            seen += [one.get("name") for one in run.report.iter("testcase")]
        self.assertEqual(sorted(seen), ["crashing", "failing", "hanging", "passing", "skipped"])
        for name in ("TEST", "GTEST"):
            for rest in ("TOTAL_SHARDS", "SHARD_INDEX", "SHARD_STATUS_FILE"):
                del self.environment[f"{name}_{rest}"]
        run = self.bazel(fixture("five"), "--grace", "100ms")
        self.assertEqual(run.report.get("tests"), "5")

    def test_without_a_runner_there_is_no_report(self):
        run = self.bazel(fixture("five"), "passing", "--isolation", "none")
        self.assertEqual(run.code, 4)
        self.assertIn("--isolation none: Bazel (BAZEL_TEST is 1) waits for a report", run.err)
        self.assertFalse(os.path.exists(self.environment["TEST_PREMATURE_EXIT_FILE"]))

    def test_shards_that_cannot_be_are_refused(self):
        self.environment |= {"TEST_TOTAL_SHARDS": "2", "TEST_SHARD_INDEX": "2"}
        run = self.bazel(fixture("five"))
        self.assertEqual(run.code, 4)
        self.assertIn("TEST_SHARD_INDEX is 2 and TEST_TOTAL_SHARDS is 2; the first shard is 0", run.err)
        self.environment |= {"TEST_TOTAL_SHARDS": "many"}
        self.assertIn("TEST_TOTAL_SHARDS is 'many', which is not a number", self.bazel().err)

    def test_the_filter_narrows(self):
        self.environment["TESTBRIDGE_TEST_ONLY"] = "tag:quick and not failing"
        run = self.bazel(fixture("five"))
        self.assertEqual([one.get("name") for one in run.report.iter("testcase")], ["passing"])
        run = self.bazel(fixture("five"), "-E", "failing", "-E", "passing")
        self.assertEqual([one.get("name") for one in run.report.iter("testcase")], ["passing"])

    def test_a_filter_that_is_none(self):
        self.environment["TESTBRIDGE_TEST_ONLY"] = "a and"
        run = self.bazel(fixture("five"))
        self.assertEqual(run.code, 4)
        self.assertIn("TESTBRIDGE_TEST_ONLY (--test_filter): ", run.err)

    def test_a_filter_that_fits_nothing_is_an_error(self):
        self.environment["TESTBRIDGE_TEST_ONLY"] = "no_such_test"
        self.assertEqual(self.bazel(fixture("five")).code, 5)

    def test_fail_fast(self):
        self.environment["TESTBRIDGE_TEST_RUNNER_FAIL_FAST"] = "1"
        run = self.bazel(fixture("five"), "passing", "failing", "skipped", "-j1")
        self.assertIn("1 failed", run.out)
        self.assertIn("1 not run", run.out)

    def test_the_file_of_a_premature_exit_is_gone_after_an_orderly_one(self):
        path = self.environment["TEST_PREMATURE_EXIT_FILE"]
        for words in ((fixture("five"), "failing"), (fixture("five"), "nothing"), ("--no-such",)):
            self.bazel(*words)
            self.assertFalse(os.path.exists(path), words)

    def test_the_file_of_a_premature_exit_stays_when_the_runner_is_killed(self):
        announcements = self.fifo()
        process = self.start(fixture("helpful"), "wait.up", junit=False)
        announcements.wait_for("up")
        process.kill()
        process.communicate(timeout=BOUND)
        self.assertTrue(os.path.exists(self.environment["TEST_PREMATURE_EXIT_FILE"]))
        announcements.wait_for_end()

    def test_the_report_is_there_before_the_time_is_over(self):
        self.environment["TEST_TIMEOUT"] = "4"
        begun = time.monotonic()
        run = self.bazel(fixture("five"), "hanging", "--timeout", "5m")
        self.assertEqual(run.code, 12)
        self.assertLess(time.monotonic() - begun, 4)
        self.assertEqual(run.verdict("hanging")[0], "skipped")

    def test_bazel_s_request_to_end_leaves_a_report(self):
        announcements = self.fifo()
        process = self.start(fixture("helpful"), "wait.up", junit=False)
        announcements.wait_for("up")
        process.send_signal(signal.SIGTERM)
        run = self.finish(process)
        self.assertEqual(run.code, 2)
        self.assertEqual(run.verdict("up")[0], "skipped")
        announcements.wait_for_end()

    def test_tests_have_its_folder_for_what_is_temporary(self):
        self.environment["FIXTURE_FOLDER"] = self.environment["TEST_TMPDIR"]
        self.assertEqual(self.bazel(fixture("helpful"), "--exact", "look.temporary").code, 0)

    def test_the_log_is_among_the_outputs(self):
        self.bazel(fixture("five"), "passing")
        with open(os.path.join(self.place("outputs"), "bridge-test.ndjson")) as file:
            events = [json.loads(line)["event"] for line in file]
        self.assertEqual(events, ["run.started", "test.started", "test.finished", "run.finished"])

    def test_nothing_is_left_elsewhere(self):
        before = set(os.listdir(self.folder))
        self.bazel(fixture("five"), "passing")
        self.assertEqual(set(os.listdir(self.folder)) - before, {"test.xml"})

    def test_without_bazel_its_variables_mean_nothing(self):
        del self.environment["BAZEL_TEST"]
        self.environment["TESTBRIDGE_TEST_ONLY"] = "no_such_test"
        self.assertEqual(self.bazel(fixture("five"), "passing").code, 0)
        self.assertFalse(os.path.exists(self.junit))


if __name__ == "__main__":
    unittest.main()
