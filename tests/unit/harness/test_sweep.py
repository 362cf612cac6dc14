# SPDX-License-Identifier: Apache-2.0
"""Bodies that are cancelled at each of their await points: what is right passes, and each fault is named."""

import os
import re
import sys
import unittest

import binary

HERE = os.path.dirname(os.path.abspath(__file__))

# test: (kind of failure, its text, tapes at which it comes or None for some)
SWALLOWED = "the cancellation was swallowed"
BROKEN = {
    "swallows_in_cpp": ("check", SWALLOWED, ["1:1", "1:2"]),
    "swallows_in_python": ("check", SWALLOWED, ["1:1", "1:2"]),
    "leaks_a_task_if_it_is_cancelled": ("leak", "task 'forgotten' was still pending", ["1:1", "1:2", "2:1", "2:2"]),
    "leaks_a_coroutine_if_it_is_cancelled": ("leak", "a C++ coroutine that nobody awaits still waits: in <lambda> at", None),
    "forgets_to_close": ("check", "CHECK(open_files == 0): 1 == 0", ["1:1", "1:2", "1:3"]),
    "throws_otherwise_if_it_is_cancelled": ("exception", "std::runtime_error: lost the connection", ["1:1", "1:2", "1:3"]),
}
# test: points and runs, where both are the same each time
RIGHT = {
    "is_right": (4, 11),
    "is_right_in_virtual_time": (3, 8),
    "ends_before_it_can_be_told": (1, 3),
    "is_torn_down": (3, 8),
    "is_right_with_two_branches": None,
    "is_right_in_python": None,
    "is_right_in_python_that_looks_at_tracebacks": None,
}


def run(test, *arguments, **more):
    return binary.run_exact(BINARY, f"sweep.{test}", *arguments, **more)


class Sweeps(unittest.TestCase):
    def test_what_is_right_passes(self):
        for test, counts in RIGHT.items():
            for loop in ("asyncio", "asyncio+debug", "same-thread"):
                if test == "is_right_in_virtual_time" and loop != "same-thread":
                    continue
                with self.subTest(test, loop=loop):
                    ended = run(test, "--loop", loop)
                    self.assertEqual((ended.outcome, ended.failures), ("passed", []))
                    swept = re.fullmatch(r"swept: (\d+) await point\(s\), cancelled in (\d+) run\(s\)", ended.notes[-1])
                    self.assertIsNotNone(swept, ended.notes)
                    self.assertEqual(len(ended.notes), 1, ended.notes)
                    found = tuple(map(int, swept.groups()))
                    if counts is not None:
                        self.assertEqual(found, counts)
                    else:
                        self.assertGreaterEqual(found[0], 3)

    def test_what_is_broken_fails_and_its_tape_repeats_it(self):
        for test, (kind, text, tapes) in BROKEN.items():
            with self.subTest(test):
                ended = run(test)
                self.assertEqual(ended.outcome, "failed", ended.events)
                self.assertTrue(all(one == kind and text in message for one, message in ended.failures), ended.failures)
                found = [re.search(r"again with --tape (\S+)$", message).group(1) for _, message in ended.failures]
                if tapes is not None:
                    self.assertEqual(found, tapes)
                again = run(test, "--tape", found[0])
                self.assertEqual(again.outcome, "failed", again.events)
                self.assertIn(ended.failures[0], again.failures)
                self.assertEqual(len(again.failures), found.count(found[0]))

    def test_it_says_how_and_where_it_was_cancelled(self):
        text = "\n".join(message for _, message in run("forgets_to_close").failures)
        with open(os.path.join(HERE, "sweep.cpp")) as file:
            line = 1 + next(i for i, one in enumerate(file) if "co_await timer.async_wait" in one)
        for how in ("by its task", "by its C++ cancellation signal", "by dropping what awaits it"):
            self.assertRegex(text, rf"in the sweep: cancelled {re.escape(how)} where it waits at \S+sweep.cpp:{line};")

    def test_a_hang_ends_the_sweep_and_has_its_tape(self):
        ended = run("hangs_if_it_is_cancelled")
        self.assertEqual((ended.outcome, ended.code), ("timed_out", 124))
        self.assertRegex(ended.failures[0][1], r"(?s)did not end within 2s.*again with --tape 1:1$")
        self.assertRegex(ended.notes[-1], r"^the sweep did not end: run 1 of \d+ was the last, and had \d+m?s of the 2s$")

    def test_the_time_out_is_for_all_runs(self):
        ended = run("is_right", "--timeout", "5ms")
        self.assertEqual(ended.outcome, "timed_out")
        ended = run("has_more_runs_than_time", "--timeout", "3s")
        self.assertEqual(ended.outcome, "timed_out")
        self.assertRegex(ended.notes[-1], r"^the sweep did not end: run \d+ of 3000 was the last, and had \d+m?s of the 3s$")

    def test_what_cannot_be_swept_says_so(self):
        self.assertIn("cancel_sweep() is for bodies that the loop runs", run("cannot_be_swept").failures[0][1])
        self.assertEqual(run("waits_for_nothing").notes, ["not swept: it waits for nothing"])
        fails = run("is_not_swept_as_it_fails")
        self.assertEqual((len(fails.failures), fails.notes), (1, ["not swept: it fails without a cancellation"]))

    def test_a_tape_that_does_not_fit_is_a_failure(self):
        for tape in ("100:1", "1:4"):
            self.assertIn(f"--tape {tape} does not fit: the test drew 4 choice(s)", run("is_right", "--tape", tape).failures[0][1])

    def test_bad_tapes_are_refused(self):
        for tape in ("", "1", "0:1", "1:0", "1:1,", "one:1"):
            self.assertEqual(run("is_right", "--tape", tape).code, 4, tape)
        ended = binary.run(BINARY, "--tape", "1:1", "is_right")
        self.assertEqual(ended.returncode, 4)
        self.assertIn("--tape is of one test: name it by --run-exact", ended.stderr)

    def test_every_test_can_be_swept_from_outside(self):
        for arguments, environment in ((["--cancel-sweep"], {}), ([], {"BRIDGE_TEST_CANCEL_SWEEP": "1"})):
            ended = binary.run_exact(LEAKS, "leaks.leaves_nothing", *arguments, environment=environment)
            self.assertEqual(ended.notes, ["not swept: it waits for nothing"])
        self.assertEqual(binary.run_exact(LEAKS, "leaks.gives_the_gil_back", "--cancel-sweep").outcome, "passed")

    def test_again_has_the_first_tape_that_failed(self):
        said = binary.run(BINARY, "forgets_to_close").stdout
        self.assertRegex(said, r"(?m)^    again: \S+ --run-exact sweep.forgets_to_close --seed \d+ --tape 1:1$")


if __name__ == "__main__":
    LEAKS = os.path.abspath(sys.argv.pop(2))
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
