# SPDX-License-Identifier: Apache-2.0
"""Programs of C++ that start and end Python: each case in a process of its own, many times."""

import os
import subprocess
import sys
import unittest

from programs import ROUNDS, TIMEOUT

PROGRAM = sys.argv.pop(1)
SECOND_LIFE = [
    "lives_in_a_row",
    "finalized_by_hand",
    "computing_outlives_python",
]
CASES = [
    "references_outlive_python",
    "threads_outlive_python",
    "the_runtime_before_python",
    "never_finalized",
    "ended_without_the_gil",
    "main_left_behind",
]


class Embedded(unittest.TestCase):
    def check(self, name):
        for _ in range(ROUNDS):
            with self.subTest(name):
                ended = subprocess.run([PROGRAM, name], capture_output=True, text=True, timeout=TIMEOUT)
                self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))

    def test_ends(self):
        for name in CASES:
            self.check(name)

    def test_a_second_life(self):
        if (3, 12) <= sys.version_info < (3, 12, 5):
            self.skipTest("this Python crashes by itself in a second life with asyncio (gh-122334)")
        for name in SECOND_LIFE:
            self.check(name)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    unittest.main()
