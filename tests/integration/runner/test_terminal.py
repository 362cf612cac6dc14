# SPDX-License-Identifier: Apache-2.0
"""What people see: on a terminal of 80 columns, in a pipe, with and without colour."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
import unittest

from driver import BOUND, PROGRAM, RunnerTest, fixture
from ctest_driver import CTEST, CTestTest

COLOR = re.compile(r"\x1b\[[0-9;]*m")


class Screen:
    """As much of a terminal as the runner uses: lines, carriage return, clear line, wrapping."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""]
        self.column = 0
        self.feet = []  # every line that was cleared again

    def feed(self, text):
        for part in re.findall(r"\x1b\[2K|\r|\n|[^\x1b\r\n]|\x1b", COLOR.sub("", text)):
            if part == "\n":
                self.lines.append("")
                self.column = 0
            elif part == "\r":
                self.column = 0
            elif part == "\x1b[2K":
                self.feet.append(self.lines[-1])
                self.lines[-1] = ""
            else:
                self.put(part)

    def put(self, character):
        assert character != "\x1b", "an escape sequence that a plain line needs not"
        if self.column == self.columns:
            self.lines.append("")
            self.column = 0
        line = self.lines[-1]
        self.lines[-1] = line[: self.column] + character + line[self.column + 1 :]
        self.column += 1


class TerminalTest(RunnerTest):
    def run_on_terminal(self, *words, columns=80, keys=None, program=PROGRAM, **environment):
        """(exit code, raw text). `keys`: (what to wait for, what to type then), or a function that is asked with the
        terminal and all that was written so far."""
        settings = {**self.environment, "TERM": "xterm-256color", **environment}
        pid, master = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.execve(program, [program, *words], settings)
        self.addCleanup(os.close, master)
        self.settings_before = termios.tcgetattr(master)
        text = self.read_terminal(master, keys)
        self.settings_after = termios.tcgetattr(master)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text

    def read_terminal(self, master, keys):
        deadline = time.monotonic() + 2 * BOUND
        data = b""
        while select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
            try:
                data += os.read(master, 65536)
            except OSError:  # the last process that had it has ended
                return data.decode("utf-8")
            if callable(keys):
                os.write(master, keys(master, data))
            elif keys and keys[0] in data:
                os.write(master, keys[1])
                keys = None
        raise AssertionError(f"not ended within {2 * BOUND} s: ...{data[-500:]!r}")

    def show(self, text, columns=80):
        screen = Screen(columns)
        screen.feed(text)
        return screen


class Terminal(TerminalTest):
    words = (fixture("five"), "--grace", "100ms", "-j2")

    def test_a_progress_line_comes_and_goes(self):
        code, text = self.run_on_terminal(*self.words)
        screen = self.show(text)
        self.assertEqual(code, 1)
        feet = [one for one in screen.feet if "running:" in one]
        self.assertTrue(any(re.search(r"4/5, 2 bad, running: five\.hanging \(0s\)", one)
                            for one in feet), feet)
        for line in screen.lines:
            self.assertNotIn("running:", line)

    def test_every_result_has_a_line_of_its_own(self):
        lines = self.show(self.run_on_terminal(*self.words)[1], 80).lines
        for label, name in (("PASS", "passing"), ("FAIL", "failing"), ("SKIP", "skipped"),
                            ("CRASH", "crashing"), ("TIMEOUT", "hanging")):
            pattern = re.compile(rf" *{label} \[ *\d+\.\d{{3}}s\] five\.{name}")
            self.assertTrue(any(pattern.match(one) for one in lines), (label, lines))

    def test_the_summary_is_the_last_line(self):
        lines = self.show(self.run_on_terminal(*self.words)[1]).lines
        self.assertEqual(lines[-1], "")
        summary = "".join(lines[lines.index("-" * 60) + 1 :])  # longer than the terminal is wide
        self.assertRegex(
            summary,
            r"^ *Summary \[ *\d+\.\d{3}s\] 5 tests run: "
            r"1 passed, 1 failed, 1 timed out, 1 crashed, 1 skipped$",
        )

    def test_the_progress_line_fits_every_width(self):
        for columns in (1, 2, 5, 20, 40, 132):
            with self.subTest(columns):
                words = (fixture("five"), "hanging", "passing", "--grace", "1ms")
                code, text = self.run_on_terminal(*words, columns=columns)
                self.assertEqual(code, 1)
                for foot in re.findall(r"\x1b\[2K([^\r\n]+)(?=\r\x1b)", text):
                    self.assertLess(len(COLOR.sub("", foot)), columns, foot)

    def test_it_has_colours_unless_they_are_refused(self):
        _, text = self.run_on_terminal(*self.words)
        self.assertRegex(text, r"\x1b\[32m *PASS\x1b\[0m")
        for refusal in ({"NO_COLOR": "1"}, {"words": ("--color", "never")}):
            words = refusal.pop("words", ())
            _, text = self.run_on_terminal(*self.words, *words, **refusal)
            self.assertNotRegex(text, COLOR)
            self.assertIn("running:", text)

    def test_an_empty_no_color_refuses_nothing(self):
        self.assertRegex(self.run_on_terminal(*self.words, NO_COLOR="")[1], COLOR)

    def test_a_dumb_terminal_gets_plain_lines(self):
        _, text = self.run_on_terminal(*self.words, TERM="dumb")
        self.assertNotIn("\x1b", text)
        self.assertNotIn("running:", text)

    def test_a_test_cannot_move_the_terminal(self):
        code, text = self.run_on_terminal(fixture("broken"), "writes_no_text")
        self.assertEqual(code, 1)
        self.show(text)
        self.assertNotIn("\x1b[2J", text)
        self.assertNotIn("\x07", text)

    def test_control_c_is_typed(self):
        words = (fixture("five"), "hanging", "--timeout", "1m")
        code, text = self.run_on_terminal(*words, keys=(b"running:", b"\x03"))
        lines = self.show(text).lines
        self.assertEqual(code, 2)
        self.assertIn("bridge-test: interrupted: ending the tests that still run "
                      "(again to kill them)", "".join(lines))
        self.assertRegex(lines[-2], r"Summary \[ *\d+\.\d{3}s\] 0 tests run: 1 not run")

    def test_without_capture_tests_write_to_the_terminal(self):
        code, text = self.run_on_terminal(fixture("helpful"), "mark.prints", "--no-capture")
        self.assertEqual(code, 0)
        self.assertIn("printed by the test\r\n", text)
        self.assertNotIn("running:", text)


class Asked(TerminalTest):
    """A key asks the tests that run where they are."""

    REPORTS = (
        rb"WHERE >\S* \[ *\d+\.\d{3}s\] patient\.waits\r\n.*in waits at [^\r]*patient\.cpp:\d+.*<Task pending name='patient\.waits'",
        rb"WHERE >\S* \[ *\d+\.\d{3}s\] patient\.blocks\r\n.*C\+\+ coroutines of tests that wait:.*(Current thread|Thread) 0x",
    )
    AGAIN = 3  # seconds; under load an answer may seem to have ended before it has

    def ask(self, mode):
        announcements = self.fifo()
        asked = None
        is_told = False
        self.echoes = None

        def type_keys(master, data):
            nonlocal asked, is_told
            if is_told or announcements.count("\n") < 2:
                return b""
            if all(re.search(one, data, re.DOTALL) for one in self.REPORTS):
                is_told = True
                return b"\x03"
            if asked is not None and time.monotonic() < asked + self.AGAIN:
                return b""
            asked = time.monotonic()
            self.echoes = bool(termios.tcgetattr(master)[3] & (termios.ECHO | termios.ICANON))
            return b"d"

        return self.run_on_terminal(
            fixture("patient"), "patient.waits", "patient.blocks", "-j2", "--isolation", mode, "--timeout", "5m",
            keys=type_keys)

    def test_d_is_answered(self):
        for mode in ("process", "fork", "batch"):
            with self.subTest(mode):
                code, text = self.ask(mode)
                self.assertEqual(code, 2, text)  # by Ctrl-C
                self.assertFalse(self.echoes)
                self.assertEqual(self.settings_after, self.settings_before)

    def test_other_keys_do_nothing(self):
        typed = False

        def type_keys(_, data):
            nonlocal typed
            if typed or b"running:" not in data:
                return b""
            typed = True
            return b"x\n\x1b[Aq "

        code, text = self.run_on_terminal(fixture("five"), "hanging", "--grace", "100ms", keys=type_keys)
        self.assertTrue(typed)
        self.assertEqual(code, 1, text)
        self.assertNotIn("WHERE", text)
        self.assertIn("1 timed out", text)


class Shared(TerminalTest, CTestTest):
    """What tests could take from each other, and from the person at the terminal."""

    WANT_IT = ("terminal.starts_an_interactive_shell", "terminal.has_no_terminal")

    def test_tests_have_no_terminal_under_either(self):
        self.configured("fixture(terminal)\nbridge_discover_tests(terminal)\n")
        for isolation in ("process", "fork", "batch"):
            code, text = self.run_on_terminal(
                self.build, *self.WANT_IT, "--isolation", isolation, "--timeout", "20s")
            self.assertEqual(code, 0, text)
        code, text = self.run_on_terminal(
            "--test-dir", self.build, "-R", "|".join(self.WANT_IT), "--output-on-failure", program=CTEST)
        self.assertEqual(code, 0, text)

    def test_the_terminal_is_as_it_was(self):
        code, text = self.run_on_terminal(fixture("terminal"), "raw_and_crashes", "--no-capture")
        self.assertEqual(code, 1, text)
        self.assertIn("its process ended with signal 9", text)
        self.assertEqual(self.settings_after, self.settings_before)

    def test_the_next_test_does_not_suffer(self):
        for isolation in ("process", "batch"):
            run = self.run_tests(
                fixture("terminal"), "terminal.makes_its_output_not_block", "terminal.writes_much",
                "--no-capture", "--isolation", isolation)
            self.assertEqual(run.code, 0, run.err[-2000:])
            self.assertIn("2 passed", run.out)


class Many(TerminalTest):
    """Enough tests that the progress line is drawn over and over between their lines."""

    def run_many(self, count, *words, columns=80):
        code, text = self.run_on_terminal(fixture("many"), "-j4", *words, columns=columns,
                                          FIXTURE_COUNT=str(count))
        self.assertEqual(code, 1)
        return self.show(text, columns)

    def check(self, screen, count):
        done = [re.match(r" *(PASS|FAIL) \[ *\d+\.\d{3}s\] many\.\d_(\d+)$", line)
                for line in screen.lines]
        self.assertEqual(sorted(int(one[2]) for one in done if one),
                         sorted([*range(count), *range(99, count, 100)]))  # failures come twice
        self.assertTrue(all("running:" not in line for line in screen.lines))
        text = "".join(screen.lines)  # the summary may be longer than a line
        self.assertRegex(text, rf"Summary .* {count} tests run: \d+ passed, \d+ failed$")
        self.assertTrue(screen.feet)

    def test_every_line_is_whole_at_any_width(self):
        for columns in (40, 80, 200):
            with self.subTest(columns):
                self.check(self.run_many(300, columns=columns), 300)

    def test_the_output_of_tests_is_whole(self):
        screen = self.run_many(300, "-v")
        shown = [line for line in screen.lines if line.startswith("    this is test ")]
        self.assertEqual(len(shown), 300)
        self.assertTrue(all(re.match(r"    this is test \d+$", line) for line in shown))

    def test_thousands(self):
        count = int(os.environ.get("BRIDGE_TEST_MANY", "2000"))
        screen = self.run_many(count, "-q")
        bad = count // 100
        self.assertEqual(sum("FAIL" in line for line in screen.lines), 2 * bad)
        self.assertTrue(screen.lines[-2].endswith(
            f" {count} tests run: {count - bad} passed, {bad} failed"), screen.lines[-2])
        # The time left is shown after two seconds, if there is any; cli_progress knows it by heart.
        bar = re.compile(rf"  \[#+-+\] ((\d+m)?\d+s left  )?\d+/{count}")
        self.assertTrue(any(bar.match(foot) for foot in screen.feet), screen.feet[-3:])

    def test_the_slowest_come_at_the_end(self):
        screen = self.run_many(100, "-q", "--slowest", "3")
        start = screen.lines.index("Slowest:")
        times = [float(line[11:19]) for line in screen.lines[start + 1 : start + 4]]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(screen.lines[start + 4], "-" * 60)


class Pipe(RunnerTest):
    def test_it_carries_plain_lines(self):
        out = self.run_tests(fixture("five"), "--grace", "100ms").out
        self.assertNotRegex(out, "[\x1b\r]")
        self.assertNotIn("running:", out)
        self.assertRegex(out.splitlines()[-1], r"^ *Summary")

    def test_it_can_have_colours(self):
        out = self.run_tests(fixture("five"), "passing", "--color", "always").out
        self.assertRegex(out, r"\x1b\[32m *PASS\x1b\[0m")

    def test_quiet_shows_failures_and_the_summary_only(self):
        out = self.run_tests(fixture("five"), "passing", "skipped", "-q").out
        self.assertRegex(out, r"^ *Summary \[[^\n]*2 tests run: 1 passed, 1 skipped\n$")
        out = self.run_tests(fixture("five"), "passing", "failing", "-q").out
        self.assertNotIn("PASS", out)
        self.assertIn("FAIL", out)


if __name__ == "__main__":
    unittest.main()
