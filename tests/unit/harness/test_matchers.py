# SPDX-License-Identifier: Apache-2.0
"""Matchers of GMock and Catch2 in a test's body: which of them are there depends on what is installed."""

import os
import sys
import unittest

from binary import listing, run_exact

BINARY = None  # path of the test binary, from the command line

SAID = {
    "matchers.gmock_matches": [],
    "matchers.gmock_does_not_match": [
        "CHECK_THAT(co_await numbers(), ElementsAre(1, Gt(2), 3)): [1, 2, 3] is not what has 3 elements where",
        'REQUIRE_THAT(std::string("a text"), StartsWith("b")): "a text" is not what starts with "b"',
    ],
    "matchers.catch2_matches": [],
    "matchers.catch2_does_not_match": [
        "CHECK_THAT(co_await numbers(), Catch::VectorContains(4)): [1, 2, 3] Contains: 4",
        'REQUIRE_THAT(std::string("a text"), Catch::StartsWith("b")): "a text" starts with: "b"',
    ],
}


class Matchers(unittest.TestCase):
    def test_each(self):
        tests = listing(BINARY)
        if not tests:
            self.skipTest("neither GMock nor Catch2 is installed")
        for test in tests:
            with self.subTest(test):
                ended = run_exact(BINARY, test)
                self.assertEqual(len(ended.failures), len(SAID[test]), ended)
                self.assertEqual(ended.outcome, "failed" if SAID[test] else "passed")
                for (kind, message), part in zip(ended.failures, SAID[test]):
                    self.assertEqual(kind, "check")
                    self.assertIn(part, message)


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
