# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends the run also where CPython only prints it."""

import os
import sys
import unittest

import binary


class Interrupts(unittest.TestCase):
    def expect_the_end(self, test, *arguments):
        ended = binary.run(BINARY, *arguments, test, "is_the_next")
        self.assertEqual(ended.returncode, 2, ended.stdout)
        self.assertRegex(ended.stdout, rf"(?s)FAILED interrupts\.{test}\n.*    interrupted\n")
        self.assertNotIn("did not end within", ended.stdout)
        return ended.stdout

    def test_in_a_callback_of_a_weak_reference(self):
        output = self.expect_the_end("in_a_weak_references_callback")
        self.assertNotIn("is_the_next", output)

    def test_while_others_run(self):
        self.expect_the_end("in_a_weak_references_callback", "--concurrent", "2")

    def test_while_the_loop_does_not_run(self):
        output = self.expect_the_end("while_the_loop_does_not_run")
        self.assertNotIn("is_the_next", output)


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
