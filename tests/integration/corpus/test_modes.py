# SPDX-License-Identifier: Apache-2.0
"""The same table in every isolation that has reports; `none` is what CTest runs, see test_corpus."""

import os
import tempfile
import unittest

from driver import RunnerTest
from table import TESTS
from test_corpus import BINARY, CORPUS, CorpusTest, ListingChecks

# In a batch their turn to go wrong comes when the process ends: it is told of its last test.
LAST = tuple(test for test, case in TESTS.items() if case.at_exit or case.spoils_its_process)
IN_A_BATCH = tuple(test for test in TESTS if test not in LAST)


class Modes(CorpusTest):
    def test_all_in_forks(self):
        run = self.run_tests(BINARY, "-j4", "-v", "--grace", "6s", "--isolation", "fork", bound=400)
        self.assertEqual(run.err, "")
        self.check_all(run)

    def test_all_in_batches(self):
        self.assertEqual(len(LAST), 6)
        left_out = [word for test in LAST for word in ("--skip", test)]
        words = (BINARY, "-j4", "-v", "--grace", "6s", "--isolation", "batch", *left_out)
        run = self.run_tests(*words, bound=400)
        self.assertEqual(run.err, "")
        self.check_all(run, IN_A_BATCH, in_batch=True)

    def test_the_last_of_its_batch(self):
        for test, run in self.run_each("--isolation", "batch", tests=LAST).items():
            with self.subTest(test):
                self.check(test, run)


class Coverage(RunnerTest):
    def test_the_counters_are_written_in_each(self):
        binary = os.path.join(CORPUS, "covered")
        for mode in ("process", "fork", "batch"):
            for tests in (["passes"], ["times_out"], ["blocks_the_loop"], ["passes", "times_out"]):
                with self.subTest(mode=mode, tests=tests):
                    place = tempfile.mkdtemp(dir=self.folder)
                    self.environment["GCOV_PREFIX"] = place
                    exact = [word for test in tests for word in ("--exact", f"covered.{test}")]
                    run = self.run_tests(binary, *exact, "-j1", "--grace", "5s", "--isolation", mode)
                    self.assertEqual(run.code, 0 if tests == ["passes"] else 1, run.out)
                    written = [name for _, _, names in os.walk(place) for name in names]
                    self.assertTrue(any(name.endswith(".gcda") for name in written), run.out)


class ListingsBeforeForks(ListingChecks, RunnerTest):
    words = ("--isolation", "fork")


class ListingsBeforeBatches(ListingChecks, RunnerTest):
    words = ("--isolation", "batch")


if __name__ == "__main__":
    unittest.main()
