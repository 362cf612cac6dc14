# SPDX-License-Identifier: Apache-2.0
"""Programs of C++ that start and end Python: each case in a process of its own, many times."""

import os
import subprocess
import sys
import unittest

from programs import ROUNDS, TIMEOUT

PROGRAM = sys.argv.pop(1)
CASES = [
    "lives_in_a_row",
    "references_outlive_python",
    "threads_outlive_python",
    "finalized_by_hand",
    "the_runtime_before_python",
    "never_finalized",
    "ended_without_the_gil",
    "main_left_behind",
]


class Embedded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        alone = subprocess.run([PROGRAM, "ssl_twice_without_the_bridge"], capture_output=True, timeout=TIMEOUT)
        if alone.returncode < 0:
            os.environ["BRIDGE_TEST_WITHOUT_SSL"] = "1"

    def test_ends(self):
        for name in CASES:
            for _ in range(ROUNDS):
                with self.subTest(name):
                    ended = subprocess.run([PROGRAM, name], capture_output=True, text=True, timeout=TIMEOUT)
                    self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    unittest.main()
