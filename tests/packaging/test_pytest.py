# SPDX-License-Identifier: Apache-2.0
"""pytest runs C++ tests: the same verdicts as bridge-test's, and pytest's own ways to select."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

RUNNER = os.environ["BRIDGE_TEST_PROGRAM"]
FIXTURES = pathlib.Path(os.environ["BRIDGE_TEST_FIXTURES"])
VERDICTS = {"passed": None, "skipped": "skipped", "failed": "failure", "timed_out": "failure", "crashed": "failure"}


class Pytest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bridge-pytest-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def pytest(self, *words):
        command = [sys.executable, "-m", "pytest", "-p", "pytest_bridge", "--bridge-test", RUNNER, "--rootdir", str(self.folder)]
        return subprocess.run([*command, *map(str, words)], cwd=self.folder, capture_output=True, text=True, timeout=240)

    def bridge_test(self, binary):
        """Outcome of each test, by its id."""
        log = self.folder / "log"
        subprocess.run([RUNNER, "run", str(binary), "--report-log", str(log)], capture_output=True, timeout=240)
        events = map(json.loads, log.read_text().splitlines())
        return {event["id"]: event["outcome"] for event in events if event["event"] == "test.finished"}

    def test_the_verdicts_of_bridge_test(self):
        for name in ("five", "broken"):
            expected = {test: VERDICTS[outcome] for test, outcome in self.bridge_test(FIXTURES / name).items()}
            self.assertTrue(expected)
            ended = self.pytest(FIXTURES / name, "--junitxml", self.folder / "report.xml")
            self.assertEqual(ended.returncode, 1, ended.stdout)
            cases = xml.etree.ElementTree.parse(self.folder / "report.xml").iter("testcase")
            verdicts = {case.get("name"): next((part.tag for part in case if part.tag in ("failure", "error", "skipped")), None)
                        for case in cases}  # fmt: skip
            self.assertEqual(verdicts, expected)

    def test_a_failure_says_where_and_what(self):
        ended = self.pytest(FIXTURES / "five", "-k", "failing")
        self.assertIn("fixture.cpp:7: 1 == 2", ended.stdout)

    def test_a_manifest(self):
        (self.folder / "bridge-test-manifest.json").write_text(
            json.dumps({"bridge_manifest": 1, "binaries": [str(FIXTURES / "five")]})
        )
        self.assertEqual(self.pytest("--collect-only", "-q", self.folder).stdout.count("five."), len(self.bridge_test(FIXTURES / "five")))

    def test_tags_are_markers(self):
        ended = self.pytest(FIXTURES / "five", "-m", "quick", "--strict-markers", "--collect-only", "-q")
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertIn("five.", ended.stdout)

    def test_the_last_failures(self):
        self.pytest(FIXTURES / "five", "-o", "cache_dir=cache")
        ended = self.pytest(FIXTURES / "five", "-o", "cache_dir=cache", "--lf", "--collect-only", "-q")
        failed = [test for test, outcome in self.bridge_test(FIXTURES / "five").items() if VERDICTS[outcome] == "failure"]
        self.assertEqual(sum("::" in line for line in ended.stdout.splitlines()), len(failed), ended.stdout)

    def test_no_runner(self):
        ended = self.pytest("--bridge-test", "no/such/runner", FIXTURES / "five")
        self.assertIn("bridge-test: no/such/runner is not a program; name the runner with --bridge-test PROGRAM", ended.stdout + ended.stderr)

    def test_a_binary_that_cannot_be_listed(self):
        ended = self.pytest("/bin/true")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("/bin/true", ended.stdout)


if __name__ == "__main__":
    try:
        import pytest  # noqa: F401
    except ImportError:
        print("pytest is not installed: skipped")
        sys.exit(77)
    unittest.main()
