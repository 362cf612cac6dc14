# SPDX-License-Identifier: Apache-2.0
"""Starts bridge-test on fixtures, each time in a folder of its own and with a bound on time."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

import junit_rules

PROGRAM = os.environ["BRIDGE_TEST_PROGRAM"]
FIXTURES = os.environ["BRIDGE_TEST_FIXTURES"]

# Nothing here may take longer, on a machine under load and with sanitizers too.
BOUND = 30


def fixture(name):
    return os.path.join(FIXTURES, name)


class Finished:
    """What a run left: exit code, texts and the JUnit report."""

    def __init__(self, code, out, err, seconds, report):
        self.code = code
        self.out = out
        self.err = err
        self.seconds = seconds
        self.report = report

    def case(self, name):
        """The report's testcase of this name, which must be there once."""
        (found,) = [one for one in self.report.iter("testcase") if one.get("name") == name]
        return found

    def verdict(self, name):
        """(element, type) of a testcase: ("passed", None), ("error", "crash"), ..."""
        verdicts = [one for one in self.case(name) if one.tag != "system-out"]
        if not verdicts:
            return ("passed", None)
        (only,) = verdicts
        return (only.tag, only.get("type"))


class RunnerTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="bridge-test.")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.junit = os.path.join(self.folder, "out.xml")
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("BRIDGE_", "NO_COLOR", "TERM", "CTEST_", "GITHUB_", "CI_NODE_", "GTEST_", "VIRTUAL_ENV"))
        }
        cache = self.environment["XDG_CACHE_HOME"] = os.path.join(self.folder, ".cache")
        self.state = os.path.join(cache, "bridge-test", "bridge-test-state.json")

    def start(self, *words, junit=True, **popen):
        """Starts bridge-test; stdout and stderr are pipes."""
        command = [PROGRAM, *words] + (["--junit", self.junit] if junit else [])
        popen.setdefault("stdout", subprocess.PIPE)
        popen.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, **popen
        )
        process.started = time.monotonic()
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def parse(self, text):
        """A JUnit report that every reader must be able to take."""
        root = xml.etree.ElementTree.fromstring(text)
        self.assertEqual(junit_rules.problems(root), [])
        return root

    def finish(self, process, bound=BOUND):
        out, err = process.communicate(timeout=bound)
        seconds = time.monotonic() - process.started
        report = None
        if os.path.exists(self.junit):
            with open(self.junit, "rb") as file:
                report = self.parse(file.read())
        texts = [(one or b"").decode("utf-8") for one in (out, err)]
        return Finished(process.returncode, *texts, seconds, report)

    def run_tests(self, *words, bound=BOUND, **options):
        return self.finish(self.start(*words, **options), bound)

    def fifo(self):
        """A new FIFO that fixtures announce() to, open for reading."""
        path = os.path.join(tempfile.mkdtemp(dir=self.folder), "fifo")
        os.mkfifo(path)
        self.environment["FIXTURE_FIFO"] = path
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, descriptor)
        return Announcements(descriptor)


class Announcements:
    """Reads what fixtures announce, and learns from the end that none of them is left."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.seen = b""

    def _read(self):
        """What comes next, waited for; nothing when the last of the writers has gone."""
        while True:
            # Not ready before the first writer comes, though a read would find the end.
            if not select.select([self.descriptor], [], [], BOUND)[0]:
                raise AssertionError(f"nothing more in {BOUND} s after {self.seen!r}")
            try:
                data = os.read(self.descriptor, 4096)
            except BlockingIOError:
                continue  # it was at its end when asked, and a writer has come since
            self.seen += data
            return data

    def count(self, word):
        """Without waiting."""
        if select.select([self.descriptor], [], [], 0)[0]:
            self._read()
        return self.seen.count(word.encode())

    def wait_for(self, word, times=1):
        while self.seen.count(word.encode()) < times:
            if not self._read():
                raise AssertionError(f"all fixtures went away after {self.seen!r}")

    def wait_for_end(self):
        """Until every process that announced something is gone."""
        while self._read():
            pass


def unblocked():
    """For preexec_fn: the signals as a shell starts its programs."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
