# SPDX-License-Identifier: Apache-2.0
"""One run of pytest in a process of its own, on one of the loops."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
OPTIONS = ("-p", "bridge_suite_plugin", "-p", "no:cacheprovider", "-o", "addopts=", "-o", "timeout_method=signal",
           "--timeout=120", "-q", "--tb=short", "--no-header")  # fmt: skip
LAST = 40  # lines that are told after an accident


@dataclasses.dataclass
class Run:
    outcomes: dict = dataclasses.field(default_factory=dict)  # by id
    texts: dict = dataclasses.field(default_factory=dict)  # of those that failed
    loops: int = 0
    seconds: float = 0
    finished: bool = False
    accident: str = ""  # a crash or a hang, in one line
    last_words: str = ""  # of pytest, then

    @property
    def passed(self):
        return sum(outcome == "passed" for outcome in self.outcomes.values())

    def read(self, lines):
        running = None
        for line in map(json.loads, lines.read_text().splitlines()):
            if "begins" in line:
                running = line["begins"]
            elif "test" in line:
                running = None
                self.outcomes[line["test"]], self.texts[line["test"]] = line["outcome"], line["text"]
            else:
                self.loops, self.finished = line["loops"], True
        return running


def environment(loop, lines, build):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL_ENV"))}
    paths = build / "bridge/python", HERE.parent / "asyncio_suite", HERE / "plugin"
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONFAULTHANDLER": "1",
            "BRIDGE_SUITE_LOOP": loop, "BRIDGE_SUITE_LINES": str(lines)}  # fmt: skip


def run_pytest(place, python, arguments, *, loop, build, log, seconds):
    """`place` is the folder to run in; `log` gets pytest's own words."""
    lines = log.with_suffix(".lines")
    lines.write_text("")
    run = Run()
    begun = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen([python, "-m", "pytest", *OPTIONS, f"--rootdir={place}", *arguments], cwd=place, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                                   env=environment(loop, lines, build))  # fmt: skip
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end_group(process)
    run.seconds = time.monotonic() - begun
    running = run.read(lines)
    if code not in (0, 1) or not run.finished:
        what = f"had no end after {seconds} s" if code is None else f"ended with {code}"
        run.accident = f"pytest {what}{f' in {running}' if running else ''}"
        run.last_words = "\n".join(log.read_text(errors="replace").splitlines()[-LAST:])
    return run


def end_group(process):
    """Itself if it hangs, and what it left running."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
