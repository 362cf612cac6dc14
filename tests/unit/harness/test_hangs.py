# SPDX-License-Identifier: Apache-2.0
"""What a failure by time-out says first: where it hangs."""

import concurrent.futures
import os
import sys
import unittest

from binary import listing, run_exact

BINARY = None  # path of the test binary, from the command line

AT_ONCE = 4
LINE = r"\S+hangs\.cpp:\d+"
BLOCKED = r"and could not be cancelled: the main thread is blocked, where its stack says$"

# name: what follows "did not end within 300ms"
TABLE = {
    "in_cpp": rf": nobody has completed what it awaits at {LINE} in wait_for_nobody$",
    "in_python_from_cpp": r": nobody has completed what it awaits at \S+asyncio/tasks\.py:\d+ in sleep$",
    "in_python": r": nobody has completed what it awaits at \S+asyncio/locks\.py:\d+ in wait$",
    "on_a_task": rf": nobody has completed what it awaits at {LINE} in test$",
    "in_its_set_up": rf": it was in set_up; nobody has completed what it awaits at {LINE} in wait_for_nobody$",
    "in_a_function": r": its function has not returned$",
    "by_going_on": r": it goes on and on, and was at \S+asyncio/tasks\.py:\d+ in ",
    "with_the_loop_blocked": " " + BLOCKED,
    "on_the_main_thread": " " + BLOCKED,
    "with_the_gil_held": " " + BLOCKED,
}


class Hangs(unittest.TestCase):
    def check_one(self, name, loop):
        ended = run_exact(BINARY, f"hangs.{name}", "--loop", loop)
        self.assertEqual((ended.outcome, ended.code), ("timed_out", 124), ended)
        self.assertEqual(ended.failures[0][0], "timeout", ended)
        self.assertRegex(ended.failures[0][1], "^did not end within 300ms" + TABLE[name])

    def check_all(self, loop):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            checks = {name: pool.submit(self.check_one, name, loop) for name in TABLE}
        for name, check in checks.items():
            with self.subTest(name):
                check.result()

    def test_each(self):
        self.check_all("asyncio")

    def test_each_on_the_same_thread(self):
        self.check_all("same-thread")

    def test_table_is_complete(self):
        self.assertEqual(set(listing(BINARY)), {f"hangs.{name}" for name in TABLE})


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
