# SPDX-License-Identifier: Apache-2.0
"""A project's own tests on asyncio's loop and on ours: none may fail on ours that passes on asyncio's."""

import argparse
import os
import pathlib
import signal
import sys

from compare import MOST, differences, run_again
from prepare import Unavailable, prepare
from projects import PROJECTS, rows_of
from run_pytest import run_pytest

SKIPPED = 77


class Suite:
    def __init__(self, project, build):
        self.project = project
        self.build = build
        self.folder = build / "project_suites" / project.name
        self.place, self.python = prepare(project, self.folder)

    def run(self, loop):
        left_out = []
        for test in rows_of(self.project, "Left out"):
            left_out.append(f"--ignore-glob={self.place}/{test}" if test.endswith(".py") else f"--deselect={test}")
        return self.pytest(loop, [self.project.tests, *self.project.options, *left_out], loop, self.project.seconds)

    def again(self, tests, loop):
        return self.pytest(loop, [tests, *self.project.options], f"again-{loop}", 300)

    def pytest(self, loop, arguments, name, seconds):
        return run_pytest(self.place, str(self.python), arguments, loop=loop, build=self.build,
                          log=self.folder / f"{name}.log", seconds=seconds)  # fmt: skip


def check_run(project, name, run):
    """Why what it says is worth nothing, if so."""
    if run.accident:
        print(run.last_words)
        return f"on {name}: {run.accident}"
    if len(run.outcomes) < project.fewest:
        return f"on {name}: {len(run.outcomes)} tests ran, and {project.fewest} are the fewest expected"
    return None


def judge(suite, stock, ours):
    """What is wrong, a line each; says the rest."""
    known = rows_of(suite.project, "Known differences")
    wrong = []
    found = differences(stock, ours)
    unknown = [one for one in found if one.test not in known]
    for one in found:
        if one.test in known:
            print(f"known: {one.test}: {one.outcome} on our loop: {known[one.test]}")
    for one in unknown:
        if len(unknown) <= MOST:
            run_again(one, suite.again)
        print(f"{'FAILED' if one.fails else 'differs'} {one.test}: {one.outcome} on our loop; {one.said}")
        if one.fails:
            print(ours.texts.get(one.test, ""))
            wrong.append(f"{one.test}: {one.outcome} on our loop")
    return wrong


def summarise(project, stock, ours):
    both = sum(ours.outcomes.get(test) == "failed" for test, outcome in stock.outcomes.items() if outcome == "failed")
    print(f"{project.name} {project.version}: {len(stock.outcomes)} tests; passed on asyncio's loop {stock.passed} ({stock.seconds:.0f} s), "
          f"on ours {ours.passed} ({ours.seconds:.0f} s); {both} failed on both; {ours.loops} loops of ours were made")  # fmt: skip


def run_project(project, build):
    suite = Suite(project, build)
    stock = suite.run("asyncio")
    if trouble := check_run(project, "asyncio's loop", stock):
        return [trouble]
    ours = suite.run("ours")
    summarise(project, stock, ours)
    wrong = judge(suite, stock, ours) if not ours.accident else []
    if trouble := check_run(project, "our loop", ours):
        wrong.append(trouble)
    elif ours.loops == 0:
        wrong.append("no loop of ours was made")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", choices=[project.name for project in PROJECTS])
    parser.add_argument("--build", type=pathlib.Path, default=os.environ.get("BRIDGE_BUILD", "build/dev"), help="the build folder")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that pytest ends, too
    [project] = [one for one in PROJECTS if one.name == options.project]
    try:
        wrong = run_project(project, pathlib.Path(options.build).resolve())
    except Unavailable as error:
        print(f"skipped: the tests of {project.name} {project.version} cannot be had: {error}")
        return SKIPPED
    for line in wrong:
        print(f"run_project: {project.name}: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
