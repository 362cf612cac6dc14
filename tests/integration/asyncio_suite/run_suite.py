# SPDX-License-Identifier: Apache-2.0
"""CPython's own asyncio tests with our event loop in place of the selector loop."""

import argparse
import importlib
import importlib.util
import os
import pathlib
import sys
import tempfile
import unittest

from substitute_loop import substitute

# The modules that run a selector event loop; the others test mocks, other loops or Windows.
MODULES = (
    "base_events buffered_proto context eager_task_factory events free_threading futures futures2 locks pep492 "
    "protocols queues runners selector_events sendfile server sock_lowlevel ssl sslproto staggered streams subprocess "
    "taskgroups tasks threads timeouts transports unix_events waitfor"
).split()
SHORT = "events runners server sock_lowlevel streams unix_events context waitfor timeouts".split()
SKIPPED = 77


def known_failures():
    """Test ids of the docs page's table; each stands there with its reason."""
    page = pathlib.Path(__file__).parents[3] / "docs/reference/asyncio_suite.md"
    rows = [line.split("|")[1].strip() for line in page.read_text().splitlines() if line.startswith("| `test_")]
    return {row.strip("`") for row in rows}


class Result(unittest.TextTestResult):
    """Counts, and remembers by id."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.failed = {}

    def _note(self, test, err):
        test = getattr(test, "test_case", test)  # of a subtest
        self.failed.setdefault(short_id(test), self._exc_info_to_string(err, test))

    def addError(self, test, err):
        super().addError(test, err)
        self._note(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, err)


def short_id(test):
    return test.id().replace("test.test_asyncio.", "")


def load(names):
    suite = unittest.TestSuite()
    for name in names:
        full = f"test.test_asyncio.test_{name}"
        if importlib.util.find_spec(full) is not None:
            suite.addTests(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(full)))
    return suite


def select(suite, patterns):
    chosen = unittest.TestSuite()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            chosen.addTests(select(test, patterns))
        elif not patterns or any(p in test.id() for p in patterns):
            chosen.addTest(test)
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stock", action="store_true", help="asyncio's own loop, for comparison")
    parser.add_argument("--short", action="store_true", help="the modules that exercise the loop most")
    parser.add_argument("-k", action="append", default=[], help="only tests whose id contains this")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="as in test.test_asyncio.test_MODULE")
    options = parser.parse_args()
    if importlib.util.find_spec("test") is None or importlib.util.find_spec("test.test_asyncio") is None:
        print("skipped: this Python ships no test.test_asyncio (on Debian: apt-get install libpython3.11-testsuite)")
        return SKIPPED
    expected = set() if options.stock else known_failures()
    ours = None if options.stock else substitute()
    os.chdir(tempfile.mkdtemp(prefix="bridge-asyncio-"))
    suite = select(load(options.modules or (SHORT if options.short else MODULES)), options.k)
    runner = unittest.TextTestRunner(resultclass=Result, verbosity=1, stream=sys.stdout)
    result = runner.run(suite)
    unexpected = sorted(set(result.failed) - expected)
    known = len(result.failed) - len(unexpected)
    passed = result.testsRun - len(result.failed) - len(result.skipped)
    print(f"{result.testsRun} run, {passed} passed, {len(result.skipped)} skipped, {known} failed as known, "
          f"{len(unexpected)} failed")
    for name in unexpected:
        print(f"FAILED {name}")
    if ours:
        print(f"{ours.made} loops made")
    return 1 if unexpected or (ours and ours.made == 0) else 0


if __name__ == "__main__":
    sys.exit(main())
