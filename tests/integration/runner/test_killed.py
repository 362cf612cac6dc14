# SPDX-License-Identifier: Apache-2.0
"""A signal to the runner at any moment: nobody is left, and what is written is whole.

BRIDGE_TEST_KILLS=1000 does it so often instead of 21 times, BRIDGE_TEST_SEED=N at other moments.
"""

import json
import os
import random
import shutil
import signal
import time
import unittest
import uuid

from driver import BOUND, RunnerTest, fixture, unblocked

HARNESS = os.environ["BRIDGE_TEST_HARNESS_FIXTURE"]
MODES = ("process", "fork", "batch")
TIMES = int(os.environ.get("BRIDGE_TEST_KILLS", "21"))
SEED = int(os.environ.get("BRIDGE_TEST_SEED", "1"))
LONGEST = 1.0  # seconds until the signal


def processes_with(entry):
    """Who has this in the environment that its program was started with."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    entries = file.read().split(b"\0")
            except OSError:
                continue
            if entry in entries:
                yield int(name)


@unittest.skipUnless(os.path.exists("/proc/self/environ"), "this system does not show processes")
class Killed(RunnerTest):
    def setUp(self):
        super().setUp()
        self.environment["FIXTURE_COUNT"] = "40"
        self.environment["FIXTURE_FIFO"] = "/dev/null"
        self.log = os.path.join(self.folder, "log.ndjson")

    def start_marked(self, mode, closed=None):
        mark = str(uuid.uuid4())
        self.environment["FIXTURE_MARK"] = mark
        words = [fixture("many"), fixture("helpful"), fixture("five"), HARNESS, "many.", "wait.up", "wait.term",
                 "daemon.stays", "five.", "fixture.passes", "fixture.hangs", "fixture.aborts"]
        words += ["--isolation", mode, "-j6", "--report-log", self.log]

        def prepare():
            unblocked()
            if closed is not None:
                os.close(closed)

        return self.start(*words, preexec_fn=prepare), f"FIXTURE_MARK={mark}".encode()

    def check_nobody_is_left(self, mark):
        deadline = time.monotonic() + BOUND
        while left := list(processes_with(mark)):
            if time.monotonic() > deadline:
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                self.fail(f"processes {left} are left")
            time.sleep(0.005)

    def check_what_is_written(self, run, number):
        """`run.report` has been read: it is whole, or there is none."""
        lines = []
        if os.path.exists(self.log):
            with open(self.log, encoding="utf-8") as file:
                lines = file.read().split("\n")
        for line in lines[:-1]:
            json.loads(line)
        if os.path.exists(self.state):
            with open(self.state, encoding="utf-8") as file:
                json.load(file)
        if run.code == 2:
            self.assertIsNotNone(run.report)
            self.assertEqual(lines[-1], "")
            self.assertEqual(json.loads(lines[-2])["event"], "run.finished")
            self.assertEqual(set(os.listdir(self.folder)) - {".cache"}, {"log.ndjson", "out.xml"})
        else:  # before it could be caught, or not to be caught at all
            self.assertEqual(run.code, -number)

    def test_at_any_moment(self):
        moments = random.Random(SEED)
        codes = {}
        for turn in range(TIMES):
            mode = MODES[turn % 3]
            number = moments.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
            delay = moments.random() * LONGEST
            with self.subTest(turn=turn, mode=mode, signal=number.name, delay=delay):
                process, mark = self.start_marked(mode)
                time.sleep(delay)
                process.send_signal(number)
                run = self.finish(process)
                self.check_nobody_is_left(mark)
                self.check_what_is_written(run, number)
                codes[run.code] = codes.get(run.code, 0) + 1
            for name in os.listdir(self.folder):
                path = os.path.join(self.folder, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        self.assertIn(2, codes)  # the reports of some were there to be looked at
        self.assertIn(-signal.SIGKILL, codes)


    def test_while_a_standard_stream_is_closed(self):
        for number in (0, 1, 2):
            with self.subTest(closed=number):
                process, mark = self.start_marked("process", closed=number)
                deadline = time.monotonic() + BOUND
                while len(list(processes_with(mark))) < 4 and time.monotonic() < deadline:
                    time.sleep(0.005)
                self.assertIsNone(process.poll())
                process.kill()
                run = self.finish(process)
                self.check_nobody_is_left(mark)
                self.check_what_is_written(run, signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
