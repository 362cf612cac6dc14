# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: asyncio makes our loops if BRIDGE_SUITE_LOOP is `ours`. What becomes of each test is a
line of the file BRIDGE_SUITE_LINES, written at once, so that a crash leaves the name of its test."""

import json
import os

from substitute_loop import substitute

OURS = substitute() if os.environ["BRIDGE_SUITE_LOOP"] == "ours" else None
LINES = open(os.environ["BRIDGE_SUITE_LINES"], "a", buffering=1)  # noqa: SIM115, it stays open
outcomes = {}
texts = {}


def write(**line):
    print(json.dumps(line), file=LINES)


def outcome_of(report):
    if hasattr(report, "wasxfail"):
        return "xfailed"  # or xpassed, which is not strict then
    return report.outcome


def pytest_runtest_logstart(nodeid, location):
    write(begins=nodeid)


def pytest_runtest_logreport(report):
    """One of set-up, call, tear-down and subtests: what is not passed stays."""
    outcome = outcome_of(report)
    if outcomes.get(report.nodeid, "passed") == "passed" or outcome == "failed":
        outcomes[report.nodeid] = outcome
    if outcome == "failed":
        texts[report.nodeid] = texts.get(report.nodeid, "") + report.longreprtext


def pytest_runtest_logfinish(nodeid, location):
    write(test=nodeid, outcome=outcomes.pop(nodeid, "passed"), text=texts.pop(nodeid, ""))


def pytest_sessionfinish(session, exitstatus):
    write(loops=OURS.made if OURS else 0)
