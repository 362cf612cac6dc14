# SPDX-License-Identifier: Apache-2.0
"""Tests whose time is their own: what they say, and that they take no time."""

import concurrent.futures
import os
import sys
import unittest

from binary import listing, run_exact

BINARY = None  # path of the test binary, from the command line

AT_ONCE = 4

# name: (outcome, exit code, [(kind, part of the message)])
PASSED = ("passed", 0, [])
TABLE = {
    "sleeps_for_a_year": PASSED,
    "sleeps_in_python": PASSED,
    "sleeps_until_a_moment": PASSED,
    "has_one_clock": PASSED,
    "has_one_order": PASSED,
    "stands_still_while_it_works": PASSED,
    "ends_a_timeout_of_python": PASSED,
    "ends_a_timeout_of_cpp": PASSED,
    "is_python_in_virtual_time": PASSED,
    "advances": PASSED,
    "does_not_go_back": PASSED,
    "settles": PASSED,
    "waits_for_io": PASSED,
    "waits_for_pythons_io": PASSED,
    "waits_for_threads": PASSED,
    "waits_for_executors": PASSED,
    "looks_until_it_is_so": PASSED,
    "hangs_in_virtual_time": ("timed_out", 124, [("timeout", r"did not end within 300ms: nobody has completed what it awaits at \S+virtual_time\.cpp:\d+ in \S+?(, awaited in \S+ at \S+)*; virtual time has moved by 36\d\d[.\d]* s$")]),
    "hangs_on_io": (
        "timed_out", 124,
        [("timeout", ", and does not jump, because of I/O that C[+][+] waits for")]),
    "never_stops_ticking": ("timed_out", 124, [("timeout", r"did not end within 300ms: .* at \S+virtual_time\.cpp:\d+ in \S+?(, awaited in \S+ at \S+)*; virtual time has moved by [\d.]+ s$")]),
    "leaves_a_sleeper": ("failed", 1, [("leak", "was still pending")]),
    "has_real_time@same-thread": PASSED,
    "is_not_on_the_loop": (
        "failed", 1,
        [("exception", r"virtual_time\(\) is for bodies that the loop runs: write the test as BRIDGE_TEST or "
                       "BRIDGE_TEST_PY")]),
    "is_for_another_loop@same-thread": PASSED,
    "is_for_another_loop@asyncio": (
        "failed", 1,
        [("exception", r"virtual_time\(\) needs the loop same-thread, and asyncio has real time: remove the other "
                       r"loops from the test's loops\(\)")]),
}


class VirtualTime(unittest.TestCase):
    def check_one(self, name):
        outcome, code, failures = TABLE[name]
        ended = run_exact(BINARY, f"virtual_time.{name}")
        self.assertEqual([kind for kind, _ in ended.failures], [kind for kind, _ in failures], ended)
        for (_, message), (_, part) in zip(ended.failures, failures):
            self.assertRegex(message, part)
        self.assertEqual((ended.outcome, ended.code), (outcome, code), ended)

    def test_each(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            checks = {name: pool.submit(self.check_one, name) for name in TABLE}
        for name, check in checks.items():
            with self.subTest(name):
                check.result()

    def test_table_is_complete(self):
        self.assertEqual(set(listing(BINARY)), {f"virtual_time.{name}" for name in TABLE})

    def test_matrix_has_the_loop_that_can(self):
        under = listing(BINARY, "--loops", "asyncio,same-thread")
        self.assertIn("virtual_time.advances@same-thread", under)
        self.assertNotIn("virtual_time.advances@asyncio", under)

    def test_the_loop_of_the_run_does_not_matter(self):
        ended = run_exact(BINARY, "virtual_time.advances", "--loop", "asyncio")
        self.assertEqual(ended.outcome, "passed", ended)


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
