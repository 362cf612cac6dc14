# SPDX-License-Identifier: Apache-2.0
"""Programs of C++ that start and end Python: each case in a process of its own, many times."""

import os
import sys
import unittest

from programs import Programs

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


class Embedded(Programs):
    def test_a_second_life_of_python(self):
        if (3, 12) <= sys.version_info < (3, 12, 5):
            self.skipTest("this Python crashes by itself in a second life with asyncio (gh-122334)")
        for name in SECOND_LIFE:
            with self.subTest(name):
                self.check_command((PROGRAM, name), output="")

    def test_one_life_of_python(self):
        for name in CASES:
            with self.subTest(name):
                self.check_command((PROGRAM, name), output="")


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    unittest.main()
