# SPDX-License-Identifier: Apache-2.0
"""What the readers of JUnit reports ask for, as one check.

Jenkins publishes a schema (junit-10 of its xunit plugin): which elements and attributes there are and
how they nest. Beyond it, a testcase has `file` and `line`: GitLab, CircleCI and the actions on GitHub
read them, and Jenkins leaves alone what it does not know. GitLab counts only the first of several
cases of one name; Jenkins only the first failure of a case.
"""

import re

# element: (required attributes, further attributes, child elements)
_RERUN = ({"type"}, {"message"}, {"stackTrace", "system-out", "system-err"})
_VERDICT = (set(), {"type", "message"}, set())
_TEXT = (set(), set(), set())
SCHEMA = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname", "group"} | {"file", "line"},
        {"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError",
         "system-out", "system-err"},
    ),
    "skipped": _VERDICT,
    "error": _VERDICT,
    "failure": _VERDICT,
    "rerunFailure": _RERUN,
    "rerunError": _RERUN,
    "flakyFailure": _RERUN,
    "flakyError": _RERUN,
    "stackTrace": _TEXT,
    "system-out": _TEXT,
    "system-err": _TEXT,
}

TIME = re.compile(r"\d+\.\d{3}\Z")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")


def _broken_structure(element, path=""):
    place = f"{path}/{element.tag}"
    required, further, children = SCHEMA[element.tag]
    for name in required - set(element.keys()):
        yield f"{place}: no attribute {name}"
    for name in set(element.keys()) - required - further:
        yield f"{place}: attribute {name} is unknown"
    for child in element:
        if child.tag not in children:
            yield f"{place}: {child.tag} may not be in it"
        else:
            yield from _broken_structure(child, place)


def _broken_counts(element):
    cases = list(element.iter("testcase"))
    expected = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
    }
    if element.tag == "testsuite":
        expected["skipped"] = sum(case.find("skipped") is not None for case in cases)
    for name, count in expected.items():
        if element.get(name) != str(count):
            yield f"{element.tag} {element.get('name')}: {name} is {element.get(name)}, not {count}"


def _broken_values(root):
    for element in root.iter():
        if "time" in element.keys() and not TIME.match(element.get("time")):
            yield f"time is {element.get('time')}"
        if "timestamp" in element.keys() and not TIMESTAMP.match(element.get("timestamp")):
            yield f"timestamp is {element.get('timestamp')}"
        if "line" in element.keys() and not (element.get("file") and element.get("line").isdigit()):
            yield f"line is {element.get('line')} of file {element.get('file')}"


def _broken_cases(root):
    seen = set()
    for case in root.iter("testcase"):
        name = (case.get("classname"), case.get("name"))
        if not all(name):
            yield f"a name is empty: {name}"
        if name in seen:
            yield f"two cases are named {name}"
        seen.add(name)
        verdicts = [one for one in case if one.tag in ("failure", "error", "skipped")]
        if len(verdicts) > 1:
            yield f"{name}: more than one verdict"
        for one in verdicts:
            if not one.get("message") or not (one.text or "").strip(" \t\n"):
                yield f"{name}: {one.tag} does not say why, as message and as text"


def problems(root):
    """What is wrong with a report, as lines; empty for one that all readers take."""
    found = [] if root.tag == "testsuites" else [f"the root is {root.tag}"]
    found += _broken_structure(root)
    for element in (root, *root.iter("testsuite")):
        found += _broken_counts(element)
    return [*found, *_broken_values(root), *_broken_cases(root)]
