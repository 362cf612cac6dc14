# SPDX-License-Identifier: Apache-2.0
"""Orders, rounds, and lines that run again what has failed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from binary import DEADLINE, run

BINARY = LEAKS = RUNNER = None  # paths, from the command line


def verdicts(ended):
    return re.findall(r"^(ok|FAILED) order\.(\S+)", ended.stdout, re.MULTILINE)


def order_of(ended):
    return [name for _, name in verdicts(ended)]


def lines_after(ended, start):
    return [line.strip()[len(start):] for line in ended.stdout.splitlines() if line.strip().startswith(start)]


def run_line(line):
    return subprocess.run(line, shell=True, capture_output=True, text=True, timeout=DEADLINE)


class Order(unittest.TestCase):
    def test_without_shuffle_it_is_that_of_the_file(self):
        self.assertEqual(order_of(run(BINARY, "--seed", "3"))[:3], ["first", "second", "wants_to_be_alone"])

    def test_a_seed_repeats_the_order(self):
        orders = {tuple(order_of(run(BINARY, "--shuffle", "--seed", str(seed)))) for seed in range(8)}
        self.assertGreater(len(orders), 4)
        first, second = (order_of(run(BINARY, "--shuffle", "--seed", "5")) for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(sorted(first), sorted(order_of(run(BINARY))))

    def test_the_line_of_a_shuffled_run_repeats_it(self):
        for _ in range(40):
            ended = run(BINARY, "--shuffle", "first", "second", "alone")
            if ended.returncode == 1:
                break
        (line,) = lines_after(ended, "in this order again: ")
        again = run_line(line)
        self.assertEqual(verdicts(again), verdicts(ended))
        self.assertIn(("FAILED", "wants_to_be_alone"), verdicts(again))

    def test_the_line_of_a_run_under_several_loops_names_them(self):
        ended = run(BINARY, "--shuffle", "--seed", "1", "--loops", "asyncio,same-thread", "wants_to_be_alone", "first")
        (line,) = lines_after(ended, "in this order again: ")
        self.assertRegex(line, r" --loops asyncio,same-thread --shuffle --seed 1 -- wants_to_be_alone first$")
        plain = run(BINARY, "--seed", "1", "--loops", "asyncio", "wants_to_be_alone", "first")
        (line,) = lines_after(plain, "in this order again: ")
        self.assertEqual(verdicts(run_line(line)), verdicts(plain))

    def test_the_line_of_a_failure_repeats_it(self):
        ended = run(BINARY, "--until-fail", "one_time_in_four", "--threads", "2", "--loop", "same-thread")
        self.assertEqual(ended.returncode, 1)
        (line,) = lines_after(ended, "again: ")
        self.assertRegex(line, r"harness_order --loop same-thread --threads 2 --run-exact order.fails_one_time_in_four "
                               r"--seed \d+$")
        for _ in range(3):
            again = run_line(line)
            self.assertEqual((again.returncode, verdicts(again)), (1, [("FAILED", "fails_one_time_in_four")]))

    def test_the_line_of_an_odd_id(self):
        ended = run(BINARY, "odd")
        (line,) = lines_after(ended, "again: ")
        self.assertEqual(verdicts(run_line(line)), verdicts(ended))


class Rounds(unittest.TestCase):
    def test_repeat(self):
        ended = run(BINARY, "--repeat", "3", "first", "second")
        self.assertEqual(order_of(ended), ["first", "second"] * 3)
        self.assertTrue(ended.stdout.endswith("6 passed, 0 failed, 0 skipped, in 3 round(s)\n"), ended.stdout)

    def test_until_fail_stops_at_the_first_failure(self):
        ended = run(BINARY, "--until-fail", "--repeat", "3", "odd", "first")
        self.assertEqual(verdicts(ended), [("ok", "first"), ("FAILED", order_of(ended)[-1])])
        self.assertIn("in 1 round(s)", ended.stdout)

    def test_until_fail_ends_after_the_last_round(self):
        ended = run(BINARY, "--until-fail", "--repeat", "4", "first")
        self.assertEqual((ended.returncode, order_of(ended)), (0, ["first"] * 4))

    def test_each_round_has_the_next_seed(self):
        ended = run(BINARY, "--repeat", "40", "--seed", "1", "one_time_in_four")
        kinds = {kind for kind, _ in verdicts(ended)}
        self.assertEqual(kinds, {"ok", "FAILED"})

    def test_bad_command_lines(self):
        for arguments, text in (
            (("--repeat", "0"), "--repeat is '0', which is not a number from 1 to 1000000"),
            (("--repeat",), "the option --repeat needs a value"),
            (("--shuffle=1",), "there is no option --shuffle"),
        ):
            with self.subTest(arguments):
                ended = run(BINARY, *arguments)
                self.assertEqual(ended.returncode, 4)
                self.assertIn(text, ended.stderr)


@unittest.skipUnless(len(sys.argv) > 3, "the runner was not built")
class Runner(unittest.TestCase):
    """What bridge-test hands on to test binaries."""

    def run_tests(self, *arguments):
        return run(RUNNER, "--state", os.path.join(self.folder, "state.json"), *arguments)

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def test_loops(self):
        ended = self.run_tests(BINARY, "--loops", "asyncio,same-thread", "first")
        self.assertEqual(set(re.findall(r"PASS .* (\S+)", ended.stdout)),
                         {"order.first@asyncio", "order.first@same-thread"}, ended.stdout)

    def test_unknown_loops(self):
        ended = self.run_tests(BINARY, "--loops", "trio")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("--loops (BRIDGE_TEST_LOOPS) is 'trio', which is not one of asyncio,", ended.stderr)
        ended = self.run_tests(BINARY, "--loops", "asyncio,,uvloop")
        self.assertEqual(ended.returncode, 4)
        self.assertIn("--loops: 'asyncio,,uvloop' is not a list of names", ended.stderr)

    def test_seed(self):
        codes = [[self.run_tests(BINARY, "--seed", str(seed), "one_time_in_four").returncode for seed in range(6)]
                 for _ in range(2)]
        self.assertEqual(codes[0], codes[1])
        self.assertEqual(set(codes[0]), {0, 1})
        self.assertIn("'x' is not a number", self.run_tests(BINARY, "--seed", "x").stderr)

    def test_ignored_leaks(self):
        ended = self.run_tests(LEAKS, "--ignore-leaks", "task:poll*", "leaves_a_task")
        self.assertEqual(ended.returncode, 0, ended.stdout)
        self.assertIn("1 leak(s) ignored: task:poller", ended.stdout)


if __name__ == "__main__":
    BINARY, LEAKS, RUNNER = (os.path.abspath(path) for path in (*sys.argv[1:], "")[:3])
    del sys.argv[1:]
    unittest.main()
