# SPDX-License-Identifier: Apache-2.0
"""Running a test binary as bridge-test does."""

import dataclasses
import json
import os
import re
import select
import signal
import subprocess
import time

DEADLINE = 120  # seconds; no test here may take as long
ASK_AGAIN = 0.5

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is to hear of it, too


@dataclasses.dataclass
class Ended:
    code: int
    events: list
    output: str

    @property
    def outcome(self):
        return self.events[-1].get("outcome")

    @property
    def message(self):
        return self.events[-1].get("message")

    def said(self, event):
        return [one for one in self.events if one["event"] == event]

    @property
    def failures(self):
        return [(one["kind"], one["message"]) for one in self.said("test.failure")]

    @property
    def notes(self):
        return [one["message"] for one in self.said("test.note")]


def run_exact(binary, test, *arguments, environment=None, folder=None):
    """One test of the binary."""
    reader, writer = os.pipe()
    try:
        ended = subprocess.run(
            [binary, "--run-exact", test, "--event-fd", str(writer), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[writer],
            timeout=DEADLINE,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        )
    finally:
        os.close(writer)
        with os.fdopen(reader) as events:
            lines = events.read().splitlines()
    return Ended(ended.returncode, [json.loads(line) for line in lines], ended.stdout)


def ask_until(binary, test, patterns, *arguments):
    """Sends SIGQUIT to a test that hangs, again and again, until its output has all of the patterns. The output."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [binary, "--run-exact", test, "--event-fd", str(writer), "--timeout", "1h", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[writer])
    os.close(writer)
    output = b""
    deadline = time.monotonic() + DEADLINE
    try:
        os.read(reader, 1)  # it has started: the signal has a handler
        while not all(re.search(one, output.decode(errors="replace")) for one in patterns):
            if time.monotonic() > deadline:
                raise AssertionError(output.decode(errors="replace"))
            process.send_signal(signal.SIGQUIT)
            while select.select([process.stdout], [], [], ASK_AGAIN)[0] and (more := os.read(process.stdout.fileno(), 65536)):
                output += more
            if process.poll() is not None:
                raise AssertionError(f"it has ended with {process.returncode}: {output.decode(errors='replace')}")
    finally:
        process.kill()
        process.communicate()
        os.close(reader)
    return output.decode(errors="replace")


def stop_for(binary, test, seconds, *arguments):
    """Stops the test for so long, as Ctrl-Z does, when it has begun; then it runs to its end."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [binary, "--run-exact", test, "--event-fd", str(writer), *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=[writer])
    os.close(writer)
    try:
        with os.fdopen(reader) as events:
            lines = [events.readline()]  # it has begun
            process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)
            lines += events.readlines()
        output, _ = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.communicate()
    return Ended(process.returncode, [json.loads(line) for line in lines], output)


def run(binary, *arguments, environment=None):
    """All that the arguments select, in one process."""
    return subprocess.run(
        [binary, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, **(environment or {})},
    )


def listing(binary, *arguments, environment=None):
    """id -> what the listing says of the test."""
    said = json.loads(run(binary, "--list", "--format", "json", *arguments, environment=environment).stdout)
    return {test["id"]: test for test in said["tests"]}
