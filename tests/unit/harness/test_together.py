# SPDX-License-Identifier: Apache-2.0
"""Tests at once in one loop: each is told what is its own, and what is nobody's is told to all of them together."""

import os
import re
import signal
import subprocess
import sys
import unittest

import binary

# test: what is said of it beside its own line, or several such things; None: it is "ok"
TABLE = {
    "meets_another": None,
    "is_met": None,
    "fails_a_check": r"CHECK\(1 \+ 1 == 3\): 2 == 3",
    "leaves_a_task": r"task 'forgotten' was still pending: coroutine 'sleep'",
    "leaves_a_generator": r"async generator 'numbers' was not closed: it stands at \S+together\.cpp:\d+",
    "leaves_a_coroutine": r"a C\+\+ coroutine that nobody awaits still waits: in <lambda> at \S+together\.cpp:\d+",
    "fails_in_a_callback": r"ValueError: in a callback",
    "forgets_to_await": r"coroutine 'forgotten' was never awaited",
    "takes_too_long": (
        r"did not end within 300ms: nobody has completed what it awaits at \S+together\.cpp:\d+ in wait_for, "
        r"awaited in takes_too_long at \S+together\.cpp:\d+\n"),
    "ignores_its_cancellation": [
        r"did not end within 300ms: nobody has completed what it awaits at \S+ in sleep\n",
        r"was cancelled, and waits again at \S+ in sleep\n",
    ],
    "leaves_a_task_that_fails": [
        r"task 'failing' was still pending: ",
        r"the task 'failing' failed when it was cancelled: ValueError: in the tear-down",
    ],
    "keeps_a_reference": r"a bridge::py_ref is kept: of type 'dict', taken at \S+together\.cpp:\d+; reset it before",
    "keeps_a_reference_on_a_thread_of_nobody": None,
    "shares_an_object": None,
    "lets_go_of_what_is_shared": None,
    "fails_on_a_thread_of_nobody": None,
    "leaves_native_work": r"a C\+\+ coroutine that nobody awaits still waits: in wait_for at \S+together\.cpp:\d+",
    "is_serial": None,
    "says_how_many_there_were": None,
}
OF_NOBODY = (
    r"CHECK\(2 \+ 2 == 5\): 4 == 5",
    r"native work was still pending: 1 operation\(s\)",
)
LINE = re.compile(r"^(ok|FAILED|skipped) (\(.*?\)|together\.\w+)", re.M)


def said_of(output):
    """{test: (word, what is said below its line)}"""
    found = list(LINE.finditer(output))
    ends = [one.start() for one in found[1:]] + [len(output)]
    return {one[2].removeprefix("together."): (one[1], output[one.end() : end]) for one, end in zip(found, ends)}


class Together(unittest.TestCase):
    def run_all(self, at_once, *filters, **more):
        ended = binary.run(BINARY, "--concurrent", str(at_once), "--threads", "4", *filters, **more)
        return ended, said_of(ended.stdout)

    def check_all(self, loop, at_once):
        ended, said = self.run_all(at_once, "--loop", loop)
        for test, patterns in TABLE.items():
            word, text = said[test]
            patterns = [patterns] if isinstance(patterns, str) else patterns or []
            self.assertEqual(word, "FAILED" if patterns else "ok", ended.stdout)
            for pattern in patterns:
                self.assertRegex(text, pattern)
            self.assertEqual(len(re.findall(r"(?m)^    \S+together\.cpp:\d+: ", text)), len(patterns), text)
        self.assertEqual(said["skips"][0], "skipped")
        word, text = said[f"({len(TABLE) - 1} tests at once)"]  # one is serial, one is not of the loop, one more skips
        self.assertEqual(word, "FAILED", ended.stdout)
        for pattern in OF_NOBODY:
            self.assertRegex(text, pattern)
        self.assertRegex(text, rf"again: \S+ .*--concurrent {at_once}\n")
        most = int(re.search(r"at most (\d+) at once", said["says_how_many_there_were"][1])[1])
        self.assertTrue(2 <= most <= at_once, most)
        self.assertIn("8 passed, 12 failed, 1 skipped", ended.stdout)
        self.assertEqual(ended.returncode, 1)

    def test_each_is_told_its_own(self):
        for loop in ("asyncio", "asyncio+debug", "same-thread"):
            with self.subTest(loop):
                self.check_all(loop, 4)

    def test_all_of_them_at_once(self):
        self.check_all("asyncio", 100)

    def test_what_is_kept_by_nobody_knows_whom_is_the_groups(self):
        ended, said = self.run_all(2, "keeps_a_reference_on", "fails_on_a_thread")
        self.assertEqual(said["keeps_a_reference_on_a_thread_of_nobody"][0], "ok", ended.stdout)
        word, text = said["(2 tests at once)"]
        self.assertEqual(word, "FAILED", ended.stdout)
        self.assertRegex(text, r"a bridge::py_ref is kept: of type 'list', taken at \S+together\.cpp:\d+; reset it before")

    def test_what_meets_does_not_pass_alone(self):
        ended = binary.run(BINARY, "--timeout", "200ms", "meets_another")
        self.assertIn("FAILED together.meets_another", ended.stdout)

    def test_it_says_how_to_run_all_of_it_again(self):
        ended, _ = self.run_all(3, "fails_")
        self.assertRegex(ended.stdout, r"(?m)^in this order again: \S+ --threads 4 --seed \d+ --concurrent 3 -- fails_$")

    def test_a_shuffled_order_is_kept(self):
        orders = {tuple(said_of(self.run_all(1, "--shuffle", "--seed", "7", "met", "skips", "serial")[0].stdout)) for _ in range(2)}
        self.assertEqual(len(orders), 1)

    def test_what_passes_is_counted_once(self):
        ended, said = self.run_all(2, "me")
        self.assertEqual(said["(2 tests at once)"][0] if "(2 tests at once)" in said else "ok", "ok")
        self.assertIn(" 0 skipped", ended.stdout)

    def test_an_interrupt_ends_all_of_them(self):
        process = subprocess.Popen(
            [BINARY, "--concurrent", "2", "--timeout", "25s", "skips", "takes_too_long"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        self.assertIn("skipped together.skips", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=binary.DEADLINE)
        self.assertEqual(process.returncode, 2, output)
        self.assertRegex(output, r"(?s)FAILED together.takes_too_long\n.*    interrupted\n")

    def test_it_is_for_a_program_by_itself(self):
        ended = binary.run_exact(BINARY, "together.is_met", "--concurrent", "2")
        self.assertEqual(ended.code, 4)
        self.assertIn("bridge-test runs processes at once, by -j", ended.output)


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
