# SPDX-License-Identifier: Apache-2.0
"""pytest collects and runs the C++ tests of bridge's harness, each by `bridge-test`.

`pytest build` collects the binaries of build/bridge-test-manifest.json, `pytest build/my_tests` one binary. The verdict,
the time-out and the environment of each test are those of `bridge-test`.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

MANIFEST = "bridge-test-manifest.json"


def pytest_addoption(parser):
    group = parser.getgroup("bridge", "C++ tests of bridge's harness")
    group.addoption("--bridge-test", metavar="PROGRAM", help="the runner to use (default: bridge-test on PATH)")
    parser.addini("bridge_test", "the runner to use (default: bridge-test on PATH)")


def pytest_collect_file(file_path, parent):
    asked_for = parent.session.isinitpath(file_path)
    if file_path.name == MANIFEST or (asked_for and is_program(file_path)):
        return Binaries.from_parent(parent, path=file_path)
    return None


def is_program(path):
    if not os.access(path, os.X_OK) or not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def find_runner(config):
    named = config.getoption("bridge_test") or config.getini("bridge_test")
    runner = shutil.which(named or "bridge-test")
    if runner is None:
        raise pytest.UsageError(
            f"bridge-test: {named} is not a program; name the runner with --bridge-test PROGRAM" if named else
            "bridge-test is not on PATH: install bridge-asyncio, or name the runner with --bridge-test PROGRAM"
        )  # fmt: skip
    return runner


def marker(tag):
    return re.sub(r"\W", "_", tag)


def name_markers(config, names):
    """Tags are markers: known ones, so that --strict-markers takes them."""
    for name in sorted(names - {line.partition(":")[0] for line in config.getini("markers")}):
        config.addinivalue_line("markers", f"{name}: a tag of C++ tests")


def run(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="backslashreplace")


class Binaries(pytest.File):
    """A manifest, or one binary."""

    def collect(self):
        where = self.path.parent if self.path.name == MANIFEST else self.path
        listed = run([find_runner(self.config), "list", str(where), "--format", "json"])
        if listed.returncode == 5:
            return
        if listed.returncode != 0:
            raise self.CollectError(listed.stderr.strip())
        binaries = json.loads(listed.stdout)["binaries"]
        name_markers(self.config, {marker(tag) for b in binaries for t in b["tests"] for tag in t.get("tags", ())})
        for binary in binaries:
            for test in binary["tests"]:
                yield CppTest.from_parent(self, name=test["id"], binary=binary["path"], test=test)


class CppTest(pytest.Item):
    def __init__(self, *, binary, test, **more):
        super().__init__(**more)
        self.binary = binary
        self.test = test
        for tag in test.get("tags", ()):
            self.add_marker(marker(tag))

    def reportinfo(self):
        return self.test.get("file") or self.path, (self.test.get("line") or 1) - 1, self.name

    def runtest(self):
        ended = self.run_it()
        self.add_report_section("call", "stdout", ended.get("output", ""))
        for note in ended.get("notes", ()):
            self.add_report_section("call", "notes", note + "\n")
        if ended["outcome"] == "skipped":
            pytest.skip(ended.get("message") or "skipped")
        if ended["outcome"] != "passed":
            raise Failed(ended)

    def run_it(self):
        """The `test.finished` of its report log."""
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            ended = run([find_runner(self.config), "run", self.binary, "--exact", self.name, "--report-log", str(log)])
            events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        for event in events:
            if event["event"] == "test.finished":
                return event
        raise NotRun(f"bridge-test exited with {ended.returncode}: {ended.stderr.strip() or ended.stdout.strip()}")

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, (Failed, NotRun)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class NotRun(Exception):
    pass


class Failed(Exception):
    """Each failure with its place, as bridge-test shows it."""

    def __init__(self, ended):
        lines = [f"{f['file']}:{f['line']}: {f['message']}" if f.get("file") else f["message"] for f in ended.get("failures", ())]
        if ended["outcome"] != "failed" or not lines:
            lines.insert(0, f"{ended['outcome'].replace('_', ' ')}: {ended.get('message', '')}".rstrip(": "))
        super().__init__("\n".join(lines))
