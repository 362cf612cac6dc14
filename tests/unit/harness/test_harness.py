# SPDX-License-Identifier: Apache-2.0
"""Runs each test of the fixture as bridge-test does and compares what it says with a table."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest

FIXTURE = MANY = OWN_MAIN = None  # paths of test binaries, from the command line
DEADLINE = 120  # seconds; no test here may take as long


def run(*arguments, environment=None):
    """Exit code, stdout and stderr of the fixture."""
    return subprocess.run(
        [FIXTURE, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, **(environment or {})},
    )


def run_exact(name, *arguments, environment=None):
    """Exit code and events of one test."""
    reader, writer = os.pipe()
    try:
        ended = subprocess.run(
            [FIXTURE, "--run-exact", f"fixture.{name}", "--event-fd", str(writer), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[writer],
            timeout=DEADLINE,
            env={**os.environ, **(environment or {})},
        )
    finally:
        os.close(writer)
        with os.fdopen(reader) as events:
            lines = events.read().splitlines()
    events = [json.loads(line) for line in lines]
    return ended.returncode, [one for one in events if one["event"] != "test.explaining"], ended.stdout


# name: (outcome or None where it cannot say, exit code, [(kind, part of the message)])
TABLE = {
    "passes": ("passed", 0, []),
    "check_fails": (
        "failed",
        1,
        [("check", "CHECK(co_await answer() == 43): 42 == 43"), ("check", '"left" == "right"')],
    ),
    "require_fails": ("failed", 1, [("check", "REQUIRE(co_await answer() == 43): 42 == 43")]),
    "require_is_not_swallowed": ("failed", 1, [("check", "42 == 43")]),
    "throws": ("failed", 1, [("exception", "std::out_of_range: thrown by the test")]),
    "raises": ("failed", 1, [("exception", "ValueError: raised by the test")]),
    "throws_behind_a_co_await": ("failed", 1, [("exception", "std::out_of_range: thrown below the test\n")]),
    "throws_nested": (
        "failed",
        1,
        [("exception", "std::runtime_error: the outer one\n  caused by std::out_of_range: the inner one")],
    ),
    "raises_a_group": (
        "failed",
        1,
        [("exception", "(2 sub-exceptions): ValueError: in a; PermissionError: [Errno 13] in b\n")],
    )
    if sys.version_info >= (3, 11)
    else ("failed", 1, [("exception", "AttributeError: ")]),
    "raises_a_class_without_a_module": ("failed", 1, [("exception", "Odd: the text\nTraceback (most")]),
    "throws_as_expected": ("passed", 0, []),
    "throws_otherwise": (
        "failed",
        1,
        [("check", "threw nothing"), ("check", "threw std::runtime_error: not Python's")],
    ),
    "prints_python": ("failed", 1, [("check", "{'k': [1, 2]} == 3")]),
    "never_awaited": ("failed", 1, [("background", "coroutine 'forgotten' was never awaited")]),
    "never_awaited_in_python": ("failed", 1, [("background", "coroutine 'forgotten' was never awaited")]),
    "leaks_task": ("failed", 1, [("leak", "task 'orphan' was still pending: coroutine 'left_behind'")]),
    "leaks_generator": ("failed", 1, [("leak", "async generator 'numbers' was not closed")]),
    "background_failure": ("failed", 1, [("background", "ValueError: in a callback")]),
    "unretrieved": ("failed", 1, [("background", "ValueError: unretrieved")]),
    "python_thread_failure": ("failed", 1, [("background", "ValueError: in a thread")]),
    "hangs_awaiting": ("timed_out", 124, [("timeout", "did not end within 300ms")]),
    "hangs_uncancellable": (
        "timed_out", 124, [("timeout", "did not end within 300ms"), ("timeout", "was cancelled, and waits again at")]),
    "hangs_with_gil": ("timed_out", 124, [("timeout", "could not be cancelled")]),
    "hangs_in_native_code": (
        "timed_out", 124,
        [("timeout", "did not end within 300ms"), ("timeout", "was cancelled, and its function has not returned")]),
    "skips": ("skipped", 77, []),
    "aborts": (None, -6, []),
    "calls_exit": (None, 1, []),
    "calls_sys_exit": ("failed", 1, [("exception", "SystemExit: 0")]),
    "sync_passes": ("passed", 0, []),
    "closes_stdout": ("passed", 0, []),
    "takes_the_place_of_stdout": ("passed", 0, []),
    "sync_fails": ("failed", 1, [("check", "REQUIRE(1 + 1 == 3): 2 == 3")]),
    "leaks_native_work": ("failed", 1, [("leak", "native work was still pending: 1 operation(s)")]),
    "native_work_ends_in_time": ("passed", 0, []),
    "escapes_a_handler": ("failed", 1, [("background", "std::runtime_error: escaped")]),
    "require_fails_behind_python": ("failed", 1, [("check", "42 == 43")]),
    "skips_behind_python": ("skipped", 77, []),
    "is_aborted": ("failed", 1, [("exception", "the body was cancelled, though nobody asked")]),
    "fails_in_thread": ("failed", 1, [("check", "CHECK(1 > 2): 1 > 2")]),
}


class Verdicts(unittest.TestCase):
    maxDiff = None

    def check_one(self, name, environment=None):
        outcome, code, failures = TABLE[name]
        returned, events, output = run_exact(name, environment=environment)
        detail = f"events: {json.dumps(events, indent=1)}\noutput: {output}"
        self.assertEqual(events[0]["event"], "test.started", detail)
        self.assertTrue(all(event["id"] == f"fixture.{name}" for event in events), detail)
        said = [event for event in events if event["event"] == "test.failure"]
        self.assertEqual([event["kind"] for event in said], [kind for kind, _ in failures], detail)
        for event, (_, part) in zip(said, failures):
            self.assertIn(part, event["message"], detail)
        finished = [event for event in events if event["event"] == "test.finished"]
        self.assertEqual([event["outcome"] for event in finished], [outcome] if outcome else [], detail)
        self.assertEqual(returned, code, detail)

    def test_table_is_complete(self):
        listed = json.loads(run("--list", "--format", "json").stdout)["tests"]
        self.assertEqual({test["name"] for test in listed}, set(TABLE))

    def test_each(self):
        for name in TABLE:
            with self.subTest(name):
                self.check_one(name)

    def test_debug_mode(self):
        for name in ("passes", "never_awaited", "leaks_task", "sync_passes"):
            with self.subTest(name):
                self.check_one(name, {"BRIDGE_TEST_DEBUG": "1", "PYTHONWARNINGS": "error"})

    def test_uvloop(self):
        try:
            import uvloop  # noqa: F401
        except ImportError:
            self.skipTest("uvloop is not installed")
        for name in TABLE:
            with self.subTest(name):
                self.check_one(name, {"BRIDGE_TEST_LOOP": "uvloop"})

    def test_what_uvloop_keeps_open_is_no_test_s(self):
        try:
            import uvloop  # noqa: F401
        except ImportError:
            self.skipTest("uvloop is not installed")
        _, events, _ = run_exact("passes", environment={"BRIDGE_TEST_LOOP": "uvloop"})
        self.assertEqual([one["message"] for one in events if one["event"] == "test.note"], ["a note"])

    def test_events_of_a_pass(self):
        _, events, _ = run_exact("passes")
        self.assertEqual([event["event"] for event in events], ["test.started", "test.note", "test.finished"])
        self.assertEqual(events[1]["message"], "a note")

    def message_of(self, name):
        return run_exact(name)[1][1]["message"]

    def test_an_exception_is_named_first_and_has_its_places(self):
        for name, first in (
            ("throws", "std::out_of_range: thrown by the test"),
            ("raises", "ValueError: raised by the test"),
            ("background_failure", r"Exception in callback .*: ValueError: in a callback"),
            ("python_thread_failure", r"Exception in the Python thread .*: ValueError: in a thread"),
        ):
            self.assertRegex(self.message_of(name).splitlines()[0], f"^{first}$")
        _, events, _ = run_exact("throws_behind_a_co_await")
        with open(events[1]["file"]) as file:
            lines = file.read().splitlines()
        self.assertIn("co_await wait_and_throw()", lines[events[1]["line"] - 1])
        places = re.findall(r"in (\w+) at \S+fixture.cpp:(\d+)", events[1]["message"])
        self.assertEqual([name for name, _ in places], ["wait_and_throw", "throws_behind_a_co_await"])
        self.assertIn("co_await wait_for(1ms)", lines[int(places[0][1]) - 1])

    def test_what_was_never_awaited_or_closed_has_its_place(self):  # pybind11 before 3.1 adds a line before a text
        self.assertRegex(
            self.message_of("never_awaited_in_python"),
            r"(?s)was never awaited\nCoroutine created at \(most recent call last\)\n.*File \"<string>\", line [23], in f$",
        )
        self.assertRegex(self.message_of("leaks_generator"), r"was not closed: it stands at <string>:[34]; await its aclose\(\)")

    def test_skip_says_why(self):
        _, events, _ = run_exact("skips")
        self.assertEqual(events[-1]["message"], "no network")

    def test_failure_has_its_place(self):
        _, events, _ = run_exact("sync_fails")
        self.assertTrue(events[1]["file"].endswith("fixture.cpp"))
        self.assertGreater(events[1]["line"], 0)

    def test_time_out_shows_where_it_hangs(self):
        _, _, output = run_exact("hangs_uncancellable")
        self.assertIn("Current thread", output)
        self.assertIn("<Task pending name='fixture.hangs_uncancellable'", output)

    def test_sigquit_shows_where_it_hangs_and_changes_nothing(self):
        for name in ("hangs_awaiting", "hangs_with_gil"):
            reader, writer = os.pipe()
            process = subprocess.Popen(
                [FIXTURE, "--run-exact", f"fixture.{name}", "--event-fd", str(writer), "--timeout", "20s"],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                pass_fds=[writer],
            )
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
            os.close(writer)
            with os.fdopen(reader) as events:
                self.assertIn("test.started", events.readline())
                for _ in range(2):
                    process.send_signal(signal.SIGQUIT)
                    for line in process.stderr:
                        if "most recent call first" in line:
                            break
                    else:
                        self.fail("it ended without a dump")

    def test_timeout_option_outranks_the_tests_own(self):
        code, events, _ = run_exact("hangs_awaiting", "--timeout", "100ms")
        self.assertEqual((code, events[-1]["message"]), (124, "did not end within 100ms"))

    def test_early_exit_says_so(self):
        _, _, output = run_exact("calls_exit")
        self.assertIn("exit() was called before the test had finished", output)


class CommandLine(unittest.TestCase):
    def test_listing(self):
        listing = json.loads(run("--list", "--format=json").stdout)
        self.assertEqual(listing["binary"], "harness_fixture")
        first = listing["tests"][0]
        self.assertEqual((first["id"], first["suite"], first["kind"]), ("fixture.passes", "fixture", "async"))
        self.assertEqual((first["tags"], first["timeout_ms"]), (["good"], 5000))

    def test_a_thousand_tests_are_listed_at_once(self):
        def best_of_five(*arguments):
            times = []
            for _ in range(5):
                begun = time.monotonic()
                subprocess.run([MANY, *arguments], stdout=subprocess.DEVNULL, check=True, timeout=DEADLINE)
                times.append(time.monotonic() - begun)
            return min(times)

        # 5 ms where it is optimized; the rest is for debug builds and sanitizers on a busy machine.
        self.assertLess(best_of_five("--list", "--format", "json") - best_of_five("--help"), 0.25)

    def test_interrupt_ends_the_run(self):
        process = subprocess.Popen(
            [FIXTURE, "--timeout", "20s", "hangs_awaiting", "passes"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        self.assertIn("fixture.passes", process.stdout.readline())  # it is in the loop's hands
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 2, output)
        self.assertIn("FAILED", output)
        self.assertIn("interrupted", output)

    def test_listing_does_not_start_python(self):
        listed = run("--list", environment={"PYTHONHOME": "/nowhere"})
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("fixture.passes\n", listed.stdout)

    def test_one_process_runs_all_that_match(self):
        ended = run("check_fails", "hangs_awaiting", "leaks", "passes", "skips", "in_time", "sync_fails", "throws")
        self.assertEqual(ended.returncode, 1, ended.stdout)
        self.assertRegex(ended.stdout, r"(?m)^ok fixture\.passes \(\d+\.\d{3} s\)$")
        self.assertRegex(ended.stdout, r"(?m)^FAILED fixture\.check_fails\n    .*fixture\.cpp:\d+: CHECK")
        self.assertIn("skipped fixture.skips: no network\n", ended.stdout)
        self.assertTrue(ended.stdout.endswith("4 passed, 10 failed, 2 skipped\n"), ended.stdout)

    def test_what_hangs_hides_nothing(self):
        ended = run("hangs_unc", "hangs_in_native", "sync_passes")
        self.assertEqual(ended.returncode, 1, ended.stdout)
        self.assertIn("ok fixture.sync_passes", ended.stdout)
        self.assertTrue(ended.stdout.endswith("1 passed, 2 failed, 0 skipped\n"), ended.stdout)

    def test_a_test_that_takes_the_output_away_takes_no_result(self):
        for name in ("closes_stdout", "takes_the_place_of_stdout"):
            ended = run(name, "sync_passes", "sync_fails")
            self.assertEqual(ended.returncode, 1, ended.stdout + ended.stderr)
            self.assertIn(f"ok fixture.{name}", ended.stdout)
            self.assertIn("ok fixture.sync_passes", ended.stdout)
            self.assertTrue(ended.stdout.endswith("2 passed, 1 failed, 0 skipped\n"), ended.stdout)

    def test_results_that_cannot_be_written(self):
        for where in (">&-", ">/dev/full"):
            ended = subprocess.run(["sh", "-c", f'exec "$0" "$@" {where}', FIXTURE, "fixture.passes"], stdin=subprocess.DEVNULL,
                                   capture_output=True, text=True, timeout=DEADLINE)
            self.assertEqual(ended.returncode, 3, ended.stderr)
            self.assertIn("error: the results could not be written\n", ended.stderr)

    def test_exit_codes(self):
        for arguments, code, text in (
            (["fixture.passes"], 0, "1 passed, 0 failed, 0 skipped"),
            (["fixture.skips"], 77, "0 passed, 0 failed, 2 skipped"),
            (["--help"], 0, "usage:"),
            (["no such test"], 5, "no test matches"),
            (["--run-exact", "fixture.nothing"], 4, "fixture.nothing"),
            (["--run-exact"], 4, "needs a value"),
            (["--unknown"], 4, "--unknown"),
            (["--loop", "trio"], 4, "trio"),
            (["--threads", "none"], 4, "none"),
            (["--timeout", "soon"], 4, "soon"),
            (["--event-fd", "x"], 4, "x"),
            (["--list", "--format", "xml"], 4, "xml"),
        ):
            with self.subTest(arguments):
                ended = run(*arguments)
                self.assertEqual(ended.returncode, code, ended.stderr)
                self.assertIn(text, ended.stdout + ended.stderr)

    def test_number_of_threads(self):
        def own_main(*arguments, **environment):
            ended = subprocess.run(
                [OWN_MAIN, *arguments],
                capture_output=True,
                text=True,
                timeout=DEADLINE,
                env={**os.environ, **environment},
            )
            return ended.returncode, ended.stderr

        self.assertEqual(own_main("--threads", "3"), (0, ""))
        self.assertEqual(own_main(BRIDGE_TEST_THREADS="3"), (0, ""))
        self.assertEqual(own_main("--threads=2", "--timeout", "1s", BRIDGE_TEST_THREADS="3")[0], 124)
        code, said = own_main("--threads", "3", OWN_RUNTIME="1")
        self.assertEqual(code, 4)
        self.assertIn("this program has made its default runtime itself", said)
        self.assertEqual(own_main("--list", OWN_RUNTIME="1")[0], 0)


if __name__ == "__main__":
    FIXTURE = os.path.abspath(sys.argv.pop(1))
    MANY = os.path.abspath(sys.argv.pop(1))
    OWN_MAIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
