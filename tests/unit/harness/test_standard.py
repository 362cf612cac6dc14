# SPDX-License-Identifier: Apache-2.0
"""A standard descriptor that a test has closed is there for the next one."""

import os
import sys
import unittest

import binary


class Standard(unittest.TestCase):
    def expect(self, ended, *lines):
        said = [one for one in ended.stdout.splitlines() if one.startswith(("ok ", "FAILED "))]
        self.assertEqual([one.rpartition(" (")[0] or one for one in said], list(lines), ended.stdout)

    def test_in_the_next(self):
        self.expect(binary.run(BINARY, "is_rid", "finds"), "ok standard.is_rid_of_its_output", "ok standard.finds_its_output")

    def test_after_those_that_run_together(self):
        ended = binary.run(BINARY, "--concurrent", "2", "is_rid", "finds")
        said = ("ok standard.is_rid_of_its_output", "ok (1 tests at once)", "ok standard.finds_its_output")
        self.expect(ended, *said)

    def test_after_one_that_did_not_end_well(self):
        ended = binary.run(BINARY, "breaks", "finds")
        self.expect(ended, "FAILED standard.breaks_its_loop", "ok standard.finds_its_output")
        self.assertIn("this loop cannot be closed", ended.stdout)


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
