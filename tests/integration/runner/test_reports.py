# SPDX-License-Identifier: Apache-2.0
"""Where reports are written, and what happens when they cannot be."""

import os
import unittest

from driver import RunnerTest, fixture


class Junit(RunnerTest):
    def plain(self, *words):
        """A run whose report is not the usual file."""
        return self.run_tests(*words, junit=False)

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

    def test_an_old_report_is_replaced_and_nothing_else_is_left(self):
        for name in ("passing", "skipped"):
            run = self.run_tests(fixture("five"), name)
            self.assertEqual([one.get("name") for one in run.report.iter("testcase")], [name])
        self.assertEqual(sorted(os.listdir(self.folder)), ["bridge-test-state.json", "out.xml"])

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


if __name__ == "__main__":
    unittest.main()
