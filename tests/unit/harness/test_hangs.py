# SPDX-License-Identifier: Apache-2.0
"""What a failure by time-out says first: where it hangs."""

import concurrent.futures
import functools
import os
import shutil
import sys
import sysconfig
import unittest

from binary import ask_until, listing, run_exact, stop_for

BINARY = None  # path of the test binary, from the command line

AT_ONCE = 4
LINE = r"\S+hangs\.cpp:\d+"
UNCANCELLED = "and could not be cancelled: "
BLOCKED = UNCANCELLED + "the main thread is blocked"
HOLDS_THE_GIL = UNCANCELLED + "the main thread holds the GIL and does not come back to its loop"


def at(function):
    """Without stacks, as under a sanitizer, that is not known."""
    return rf"(, where its stack says| at {LINE} in {function})$"


WITHOUT_GIL = sysconfig.get_config_var("Py_GIL_DISABLED")
if WITHOUT_GIL:
    HOLDS_THE_GIL = BLOCKED
    HELD_ELSEWHERE = (
        r": a handler on its executor has not returned, "
        rf"(on thread \d+, where its stack says|at {LINE} in with_the_gil_held_elsewhere)$")
else:
    HELD_ELSEWHERE = " " + UNCANCELLED + (
        rf"the GIL is held by thread \d+, in the coroutine that last waited at {LINE}, and is"
        + at("with_the_gil_held_elsewhere"))

# name: what follows "did not end within 300ms"
TABLE = {
    "in_cpp": rf": nobody has completed what it awaits at {LINE} in wait_for_nobody, awaited in in_cpp at {LINE}$",
    "in_its_body": rf": nobody has completed what it awaits at {LINE} in in_its_body$",
    "in_python_from_cpp": (
        r": nobody has completed what it awaits at \S+asyncio/tasks\.py:\d+ in sleep, "
        rf"awaited in wait_in_python at {LINE}, awaited in in_python_from_cpp at {LINE}$"),
    "in_python": r": nobody has completed what it awaits at \S+asyncio/locks\.py:\d+ in wait$",
    "on_a_task": rf": nobody has completed what it awaits at {LINE} in test$",
    "in_its_set_up": rf": it was in set_up; nobody has completed what it awaits at {LINE} in wait_for_nobody, awaited in set_up at {LINE}$",
    "in_a_function": rf": its function has not returned(, and is at {LINE} in in_a_function)?$",
    "by_going_on": r": it goes on and on, and was at \S+asyncio/tasks\.py:\d+ in ",
    "with_the_loop_blocked": " " + BLOCKED + at("test"),
    "on_the_main_thread": " " + BLOCKED + at("on_the_main_thread"),
    "with_the_gil_held": " " + HOLDS_THE_GIL + at("with_the_gil_held"),
    "by_running_python": " " + HOLDS_THE_GIL + at("test"),
    "with_the_gil_held_elsewhere@asyncio": HELD_ELSEWHERE,
    "with_the_runtime_starved@asyncio": (
        rf": the runtime is starved, as each of its threads is blocked, (where its stack says|at {LINE} in .*); "
        rf"nobody has completed what it awaits at {LINE} in "),
}


# Whose verdict has the line of a stack.
PLACED = {
    "in_a_function", "with_the_loop_blocked", "on_the_main_thread", "with_the_gil_held", "by_running_python",
    "with_the_gil_held_elsewhere@asyncio", "with_the_runtime_starved@asyncio",
}


def is_sanitized():
    with open(BINARY, "rb") as file:
        return b"__asan_init" in (data := file.read()) or b"__tsan_init" in data


@functools.cache
def knows_places():
    return shutil.which("addr2line") is not None and not is_sanitized()


# Python's part comes last.
STACKS = [r"(?m)^Current thread 0x|^Thread 0x"]


class Hangs(unittest.TestCase):
    def check_one(self, name, loop):
        ended = run_exact(BINARY, f"hangs.{name}", "--loop", loop, "--threads", "4")
        self.assertEqual((ended.outcome, ended.code), ("timed_out", 124), ended)
        self.assertEqual(ended.failures[0][0], "timeout", ended)
        said = ended.failures[0][1]
        self.assertRegex(said, "^did not end within 300ms" + TABLE[name])
        if name in PLACED and knows_places():
            self.assertRegex(said, rf"(is blocked|its loop|and is|has not returned,|is blocked,) at {LINE} in ")

    def check_all(self, loop):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            checks = {name: pool.submit(self.check_one, name, loop) for name in TABLE}
        for name, check in checks.items():
            with self.subTest(name):
                check.result()

    def test_each(self):
        self.check_all("asyncio")

    def test_each_on_the_same_thread(self):
        self.check_all("same-thread")

    def test_what_is_dumped_names_the_coroutines_of_cpp_and_the_stacks(self):
        ended = run_exact(BINARY, "hangs.in_its_set_up")
        self.assertRegex(
            ended.output, rf"(?m)^C\+\+ coroutines of tests that wait:\n  in wait_for_nobody at {LINE}, awaited in set_up at {LINE}$")
        blocked = run_exact(BINARY, "hangs.with_the_loop_blocked")
        if not is_sanitized():
            for output in ended.output, blocked.output:
                self.assertRegex(output, r"(?m)^C\+\+ stack of thread \d+ \(.*\), innermost first:\n +\S+")

    def test_sigquit_is_answered_with_the_whole_report(self):
        chain = rf"(?m)^C\+\+ coroutines of tests that wait:\n  in wait_for_nobody at {LINE}, awaited in in_cpp at {LINE}$"
        for loop in ("asyncio", "same-thread"):
            ask_until(BINARY, "hangs.in_cpp", [chain, *STACKS, rf"(?m)^<Task pending name='hangs\.in_cpp'"], "--loop", loop)
            ask_until(
                BINARY, "hangs.in_python",
                [*STACKS, r"(?m)^<Task pending name='hangs\.in_python'(.*\n)*  File \".*hangs\.cpp\", line \d+, in inner$"],
                "--loop", loop)

    def test_sigquit_is_answered_while_the_gil_is_held(self):
        holder = [] if WITHOUT_GIL or sys.version_info < (3, 11) else [r"(?m)^The GIL is held by thread \d+ \(.+\)\.$"]
        for name in ("with_the_gil_held", "by_running_python"):
            ask_until(BINARY, f"hangs.{name}", [*holder, *STACKS], "--loop", "same-thread")
        ask_until(BINARY, "hangs.with_the_gil_held_elsewhere@asyncio", [*holder, *STACKS])

    def test_a_test_goes_on_after_sigquit(self):
        """What it is asked for changes nothing: it still has its own verdict."""
        ask_until(BINARY, "hangs.in_a_function", STACKS)
        ended = run_exact(BINARY, "hangs.asked_and_passes")
        self.assertEqual((ended.outcome, ended.code), ("passed", 0), ended)
        self.assertIn("C++ coroutines of tests that wait:", ended.output)

    def test_a_stop_is_not_the_tests_time(self):
        """Nor is it twice, which would be longer than the watchdog waits."""
        for loop in ("asyncio", "same-thread"):
            with self.subTest(loop):
                ended = stop_for(BINARY, "hangs.in_its_body", 3, "--loop", loop, "--timeout", "1s")
                self.assertEqual((ended.outcome, ended.code), ("timed_out", 124), ended)
                self.assertEqual(len(ended.failures), 1, ended)
                self.assertRegex(ended.failures[0][1], rf"^did not end within 1s: nobody has completed what it awaits at {LINE}")

    def test_table_is_complete(self):
        self.assertEqual(set(listing(BINARY)), {f"hangs.{name}" for name in (*TABLE, "asked_and_passes")})


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    if not is_sanitized():
        STACKS.append(r"(?m)^C\+\+ stack of thread \d+ \(.*\), innermost first:\n +\S+")
    unittest.main()
