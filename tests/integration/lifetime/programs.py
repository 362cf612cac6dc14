# SPDX-License-Identifier: Apache-2.0
"""Python programs that end in some way: each in a process of its own, many times."""

import concurrent.futures
import os
import signal
import subprocess
import sys
import unittest

ROUNDS = int(os.environ.get("BRIDGE_ROUNDS", "5"))
AT_ONCE = int(os.environ.get("BRIDGE_AT_ONCE", "2"))
TIMEOUT = 60  # a program that takes so long hangs

# A shell's background jobs ignore it, and so would the programs.
signal.signal(signal.SIGINT, signal.default_int_handler)


def run_once(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL)


def run_python(program):
    return run_once(sys.executable, "-c", program)


class Programs(unittest.TestCase):
    def check(self, program, *rest, **more):
        """A program of Python's, as check_command."""
        self.check_command((sys.executable, "-c", program), *rest, **more)

    def check_command(self, command, code=0, words=(), rounds=ROUNDS, output=None):
        """Without words stderr must be empty (None: it may say anything); else each of them is in it."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for ended in pool.map(lambda _: run_once(*command), range(rounds)):
                self.assertEqual(ended.returncode, code, ended.stderr)
                if words is not None and len(words) == 0:
                    self.assertEqual(ended.stderr, "")
                for word in words or ():
                    self.assertIn(word, ended.stderr)
                if output is not None:
                    self.assertEqual(ended.stdout, output)


def add_cases(to, cases, head=""):
    """Cases: name -> (program, exit code, words on stderr)."""
    for name, (program, code, words) in cases.items():

        def test(self, program=program, code=code, words=words):
            self.check(head + program, code, words)

        attribute = "test_" + "".join(c if c.isalnum() else "_" for c in name)
        assert not hasattr(to, attribute), name
        setattr(to, attribute, test)
