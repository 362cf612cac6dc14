# SPDX-License-Identifier: Apache-2.0
"""What tests leave behind, and what is said of it."""

import os
import re
import signal
import sys
import unittest

from binary import listing, run_exact

BINARY = None  # path of the test binary, from the command line

LINE = r"\S+leaks\.cpp:\d+"

# name: (outcome, [(kind, pattern)], [pattern of a note])
TABLE = {
    "leaves_a_task": (
        "failed",
        [("leak", rf"^task 'poller' was still pending: coroutine 'poll' at {LINE}, made at {LINE} in test; await it, or cancel it and await it$")], []),
    "leaves_native_work": (
        "failed",
        [("leak", rf"^native work was still pending: 1 operation\(s\) of the loop\n  .*, waiting in wait_for_ever at {LINE}.*\n  await it, or cancel it and await it$")], []),
    "leaves_a_coroutine": (
        "failed",
        [("leak", rf"^a C\+\+ coroutine that nobody awaits still waits: in serve at {LINE}, awaited in serve_all at {LINE}; await it, or cancel it before the test ends$")],
        []),
    "leaves_a_coroutine_and_may": ("passed", [], [r"^1 leak\(s\) ignored: coroutine:serve$"]),
    "leaves_a_coroutine_that_ends_soon": ("passed", [], []),
    "leaves_a_child": ("passed", [], [r"^the child process (\d+) \(sleep\) still runs$"]),
    "leaves_an_ended_child": (
        "passed", [], [r"^the child process \d+ \(\S+\) has ended, but nobody has waited for it$"]),
    "changes_a_handler": (
        "passed", [],
        ["^the handler of SIGUSR1 is not what it was before$", "^the handler of SIGUSR2 is not what it was before$"]),
    "keeps_the_gil": ("failed", [("exception", "the body returned with the GIL held; release what")], []),
    "gives_the_gil_back": ("passed", [], []),
    "loses_the_gil": ("failed", [("exception", "the body returned without the GIL, with which it began; take back what")], []),
    "keeps_a_reference": (
        "failed", [("leak", rf"^a bridge::py_ref is kept: of type 'dict', taken at {LINE}; reset it before the test ends$")], []),
    "keeps_a_second_reference": (
        "failed", [("leak", rf"^a bridge::py_ref is kept: of type 'list', taken at {LINE}; reset it before the test ends$")], []),
    "keeps_a_reference_on_the_main_thread": (
        "failed", [("leak", rf"^a bridge::py_ref is kept: of type 'str', taken at {LINE}; reset it before the test ends$")], []),
    "keeps_a_reference_and_may": ("passed", [], [r"^1 leak\(s\) ignored: reference:dict$"]),
    "keeps_what_lives_anyway": ("passed", [], []),
    "drops_its_references": ("passed", [], []),
    "leaves_descriptors": ("passed", [], []),
    "leaves_nothing": ("passed", [], []),
}


def end_children(ended):
    for note in ended.notes:
        if found := re.search(r"child process (\d+) \(sleep\)", note):
            os.kill(int(found[1]), signal.SIGKILL)


class Leaks(unittest.TestCase):
    def run_one(self, name, *arguments, environment=None):
        ended = run_exact(BINARY, f"leaks.{name}", *arguments, environment=environment)
        end_children(ended)
        return ended

    def check_one(self, name, environment):
        outcome, failures, notes = TABLE[name]
        ended = self.run_one(name, environment=environment)
        self.assertEqual([kind for kind, _ in ended.failures], [kind for kind, _ in failures], ended)
        for (_, message), (_, pattern) in zip(ended.failures, failures):
            self.assertRegex(message, pattern)
        told = [note for note in ended.notes if not note.startswith("descriptor")]
        self.assertEqual(len(told), len(notes), ended)  # but what is kept keeps its loop's descriptors
        for note, pattern in zip(told, notes):
            self.assertRegex(note, pattern)
        self.assertEqual(ended.outcome, outcome, ended)

    def test_each(self):
        for loop in ("asyncio", "same-thread"):
            for name in TABLE:
                with self.subTest(name, loop=loop):
                    self.check_one(name, {"BRIDGE_TEST_LOOP": loop})

    def test_table_is_complete(self):
        self.assertEqual(set(listing(BINARY)), {f"leaks.{name}" for name in TABLE})

    def test_descriptors_say_what_they_are_and_who_has_them(self):
        notes = [re.sub(r"\d+", "1", note) for note in self.run_one("leaves_descriptors").notes]
        kept = r"held by <socket\.socket .*>\)"
        here = r"1\.1\.1\.1:1"
        for times, pattern in (
            (1, rf"descriptor 1 is still open: socket:\[1\] \(UDP {here}, {kept}"),
            (1, rf"descriptor 1 is still open: socket:\[1\] \(TCP {here}, listening, {kept}"),
            (1, rf"descriptor 1 is still open: socket:\[1\] \(TCP {here}, connected to {here}, {kept}"),
            (2, rf"descriptor 1 is still open: socket:\[1\] \(unix no name, connected to no name, {kept}"),
            (1, r"descriptor 1 is still open: /dev/null \(held by <_io\.FileIO name='/dev/null' .*>\)"),
            (2, r"descriptor 1 is still open: pipe:\[1\]"),
        ):
            with self.subTest(pattern):
                self.assertEqual(len([one for one in notes if re.fullmatch(pattern, one)]), times, notes)

    def test_the_command_line_ignores(self):
        ended = self.run_one("leaves_a_task", "--ignore-leaks", "native,task:poll*")
        self.assertEqual((ended.outcome, ended.notes), ("passed", ["1 leak(s) ignored: task:poller"]), ended)
        self.assertEqual(self.run_one("leaves_a_task", "--ignore-leaks", "task:other").outcome, "failed")

    def test_the_environment_ignores(self):
        ended = self.run_one("leaves_a_child", environment={"BRIDGE_TEST_IGNORE_LEAKS": "child:*"})
        self.assertEqual(ended.notes, ["1 leak(s) ignored: child:sleep"])
        ended = self.run_one("changes_a_handler", environment={"BRIDGE_TEST_IGNORE_LEAKS": "signal:SIGUSR2"})
        self.assertEqual(ended.notes, ["the handler of SIGUSR1 is not what it was before",
                                       "1 leak(s) ignored: signal:SIGUSR2"])


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
