# SPDX-License-Identifier: Apache-2.0
"""Whoever reads the output late, or never, loses nothing and holds nothing up."""

import os
import re
import signal
import time
import unittest

from driver import BOUND, RunnerTest, fixture


class LateReaders(RunnerTest):
    """Who does not read what a run prints keeps it neither from its time-outs nor from its end."""

    def setUp(self):
        super().setUp()
        self.environment["FIXTURE_COUNT"] = "2000"  # lines, of which a pipe takes fewer
        self.log = os.path.join(self.folder, "log.ndjson")

    def start_unread(self, *more):
        words = (*more, fixture("many"), fixture("five"), "many.", "five.hanging", "-v", "--retries", "0", "--grace", "100ms")
        return self.start(*words, "--report-log", self.log)

    def wait_for_the_end_of_the_run(self):
        deadline = time.monotonic() + BOUND
        while time.monotonic() < deadline:
            if os.path.exists(self.log):
                with open(self.log) as file:
                    if '"event":"run.finished"' in file.read():
                        return
            time.sleep(0.02)
        self.fail("the run did not go on")

    def test_what_they_read_later_is_whole(self):
        process = self.start_unread()
        self.wait_for_the_end_of_the_run()
        self.assertIsNone(process.poll())
        run = self.finish(process)
        self.assertEqual(run.code, 1)
        self.assertEqual(run.out.count("this is test "), 2000)
        self.assertIn("2001 tests run: 1980 passed, 20 failed, 1 timed out", run.out)
        self.assertEqual(run.verdict("hanging")[1], "timeout")

    def test_nothing_overtakes_what_they_have_not_read(self):
        process = self.start_unread("--github", "always")
        self.wait_for_the_end_of_the_run()
        run = self.finish(process)
        token = re.match(r"::stop-commands::(\S+)\n", run.out)[1]
        tests, annotations = run.out.split(f"::{token}::\n")
        self.assertEqual(tests.count("this is test "), 2000)
        self.assertIn("Summary", tests)
        self.assertEqual(annotations.count("::error "), 10)

    def test_a_signal_ends_the_wait_for_them(self):
        process = self.start_unread()
        self.wait_for_the_end_of_the_run()
        # The last events are written a moment before signals end the runner again: as one types it.
        deadline = time.monotonic() + BOUND
        while process.poll() is None and time.monotonic() < deadline:
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        self.assertEqual(process.returncode, -signal.SIGINT)


if __name__ == "__main__":
    unittest.main()
