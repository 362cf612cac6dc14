# SPDX-License-Identifier: Apache-2.0
"""Signals to the runner at every stage: what is reported, and that nobody survives."""

import os
import signal
import subprocess
import sys
import time
import unittest

from driver import BOUND, RunnerTest, fixture, unblocked


class Interrupted(RunnerTest):
    def setUp(self):
        super().setUp()
        self.announcements = self.fifo()

    def start_waiting(self, word, *words, **options):
        """A runner whose test has announced `word` and waits."""
        process = self.start(*words, **options)
        self.announcements.wait_for(word)
        return process

    def test_once_ends_the_tests_and_writes_the_report(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                self.announcements = self.fifo()
                words = (fixture("helpful"), "wait.up", "mark.prints", "-j1")
                process = self.start_waiting("up", *words)
                process.send_signal(number)
                run = self.finish(process)
                self.announcements.wait_for_end()
                self.assertEqual(run.code, 2)
                self.assertIn("interrupted: ending the tests that still run", run.err)
                self.assertIn("0 tests run: 2 not run", run.out)
                self.assertEqual(run.verdict("up")[0], "skipped")
                message = run.case("prints a name with spaces")[0].get("message")
                self.assertEqual(message, "the run was interrupted")

    def test_twice_kills_what_does_not_want_to_end(self):
        process = self.start_waiting("up", fixture("helpful"), "wait.term")
        process.send_signal(signal.SIGINT)
        self.announcements.wait_for("term")  # it was asked, and goes on
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.announcements.wait_for_end()
        self.assertEqual(run.code, 2)
        self.assertIn("killing the tests that still run", run.err)
        self.assertEqual(run.verdict("term")[0], "skipped")

    def test_once_is_enough_in_the_end(self):
        process = self.start_waiting("up", fixture("helpful"), "wait.term")
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.announcements.wait_for_end()
        self.assertEqual(run.code, 2)
        self.assertLess(run.seconds, 10)

    def test_what_was_done_before_stays_done(self):
        words = (fixture("helpful"), "wait.up", "look.environment", "-j1")
        process = self.start_waiting("up", *words)
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.verdict("environment"), ("passed", None))
        self.assertIn("1 test run: 1 passed, 1 not run", run.out)

    def test_while_listing(self):
        self.environment["FIXTURE_LISTING"] = "announce"
        process = self.start_waiting("up", fixture("liar"), fixture("five"))
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.announcements.wait_for_end()
        self.assertEqual(run.code, 2)
        self.assertNotIn("there are no tests", run.err)
        self.assertEqual(list(run.report.iter("error")), [])

    def test_while_the_verb_list_lists(self):
        self.environment["FIXTURE_LISTING"] = "announce"
        process = self.start_waiting("up", "list", fixture("liar"), junit=False)
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.announcements.wait_for_end()
        self.assertEqual((run.code, run.out), (2, ""))

    def test_a_test_that_has_no_answer_to_where_it_is(self):
        process = self.start("--exact", "number.pid", fixture("helpful"))
        self.announcements.wait_for("\n")
        process.send_signal(signal.SIGUSR1)
        line = b""
        while b"WHERE >" not in line:
            line = process.stdout.readline()
            self.assertNotEqual(line, b"")
        self.assertRegex(line.decode(), r"number\.pid: it does not answer, as it has no handler for SIGQUIT or hangs in it$")
        os.kill(int(self.announcements.seen), signal.SIGUSR1)
        self.assertEqual(self.finish(process).code, 0)

    def test_a_killed_runner_leaves_nobody_behind(self):
        process = self.start_waiting("up", fixture("helpful"), "wait.up", "wait.term", "-j2")
        self.announcements.wait_for("up", times=3)  # one of the tests is two processes
        process.kill()
        process.communicate(timeout=BOUND)
        self.announcements.wait_for_end()


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


@unittest.skipUnless(os.path.exists("/proc/self/stat"), "this system does not show states")
class Stopped(RunnerTest):
    """In a process group of their own, as of a shell: the system stops nobody in an orphaned one."""

    def wait_for_state(self, pid, wanted):
        deadline = time.monotonic() + BOUND
        while state_of(pid) not in wanted:
            self.assertLess(time.monotonic(), deadline, state_of(pid))
            time.sleep(0.01)

    def test_where_no_shell_could_resume_it_all_goes_on(self):
        announcements = self.fifo()
        words = (fixture("helpful"), "--exact", "number.pid")
        process = self.start(*words, start_new_session=True)  # an orphaned process group
        announcements.wait_for("\n")
        for _ in range(3):  # what handles it is there again
            process.send_signal(signal.SIGTSTP)
            time.sleep(0.1)
        os.kill(int(announcements.seen), signal.SIGUSR1)
        run = self.finish(process)
        self.assertEqual(run.code, 0, run.out)

    def test_tests_stop_too_and_the_time_does_not_count(self):
        for mode in ("process", "fork", "batch"):
            with self.subTest(mode):
                announcements = self.fifo()
                words = (fixture("helpful"), "--exact", "number.pid", "--isolation", mode)
                process = self.start(*words, "--timeout", "1500ms", "--grace", "1ms",
                                     preexec_fn=os.setpgrp)
                announcements.wait_for("\n")
                pid = int(announcements.seen)
                process.send_signal(signal.SIGTSTP)
                for one in (process.pid, pid):
                    self.wait_for_state(one, "T")
                time.sleep(1.6)  # longer than the test may take
                self.assertEqual(state_of(pid), "T")
                process.send_signal(signal.SIGCONT)
                for one in (process.pid, pid):
                    self.wait_for_state(one, "SR")
                os.kill(pid, signal.SIGUSR1)
                run = self.finish(process)
                self.assertEqual(run.code, 0, run.out)


    def test_the_harness_does_not_count_it_either(self):
        started = []
        for mode in ("process", "fork", "batch"):
            announcements = self.fifo()
            words = (fixture("patient"), "--exact", "patient.waits", "--isolation", mode, "-v")
            process = self.start(*words, "--timeout", "2s", junit=False, preexec_fn=os.setpgrp)
            announcements.wait_for("\n")
            pid = int(announcements.seen)
            process.send_signal(signal.SIGTSTP)
            self.wait_for_state(pid, "T")
            started.append((mode, process, pid))
        time.sleep(3.2)  # longer than the test may take, and than its watchdog allows
        for mode, process, pid in started:
            with self.subTest(mode):
                process.send_signal(signal.SIGCONT)
                self.wait_for_state(pid, "SR")
                time.sleep(0.2)  # its time would be over at once
                os.kill(pid, signal.SIGUSR1)
                run = self.finish(process)
                self.assertEqual(run.code, 0, run.out)
                self.assertRegex(run.out, r"PASS \[   [01]\.\d{3}s\] patient\.waits\n")
                self.assertNotIn("most recent call first", run.out)
                # What Asio opened for the signal; of the loop's own a native thread may let go late.
                self.assertNotRegex(run.out, r"is still open: (?!anon_inode:\[eventfd\])")

    def test_the_harness_still_ends_what_hangs(self):
        announcements = self.fifo()
        words = (fixture("patient"), "--exact", "patient.blocks", "--timeout", "1s", "--grace", "20s")
        process = self.start(*words, preexec_fn=os.setpgrp)
        announcements.wait_for("\n")
        pid = int(announcements.seen)
        process.send_signal(signal.SIGTSTP)
        self.wait_for_state(pid, "T")
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        run = self.finish(process)
        self.assertEqual(run.verdict("blocks"), ("error", "timeout"))
        self.assertIn("could not be cancelled", run.out)
        self.assertIn("most recent call first", run.out)


@unittest.skipUnless(os.path.exists("/proc/self/environ"), "this system does not show them")
class Daemons(RunnerTest):
    """What has left its group and session does not outlive the runner either."""

    def test_when_the_run_has_ended(self):
        for mode in ("process", "fork", "batch"):
            with self.subTest(mode):
                announcements = self.fifo()
                run = self.run_tests(fixture("helpful"), "daemon.stays", "--isolation", mode)
                self.assertEqual(run.code, 0, run.out)
                announcements.wait_for("up")
                announcements.wait_for_end()

    def test_when_the_runner_is_killed(self):
        for mode in ("process", "fork", "batch"):
            with self.subTest(mode):
                announcements = self.fifo()
                words = (fixture("helpful"), "daemon.stays", "wait.up", "--isolation", mode)
                process = self.start(*words, "-j2")
                announcements.wait_for("up", times=3)
                process.kill()
                process.communicate(timeout=BOUND)
                announcements.wait_for_end()


class StartedOddly(RunnerTest):
    def test_with_signals_blocked(self):
        def block():
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))

        run = self.run_tests(fixture("helpful"), "look.signals", preexec_fn=block)
        self.assertEqual(run.code, 0, run.out)

    def test_with_child_signals_ignored(self):
        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)

        run = self.run_tests(fixture("five"), "passing", "crashing", preexec_fn=ignore)
        self.assertIn("2 tests run: 1 passed, 1 crashed", run.out)

    def test_an_ignored_interrupt_stays_ignored(self):
        announcements = self.fifo()

        def ignore():
            unblocked()
            signal.signal(signal.SIGINT, signal.SIG_IGN)

        process = self.start(fixture("helpful"), "wait.up", preexec_fn=ignore)
        announcements.wait_for("up")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        run = self.finish(process)
        self.assertEqual(run.code, 2)
        self.assertNotIn("killing", run.err)  # there was one signal, not two

    def test_with_a_reader_that_has_gone(self):
        head = subprocess.Popen(
            [sys.executable, "-c", ""], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        head.wait(timeout=BOUND)
        run = self.run_tests(fixture("five"), "passing", stdout=head.stdin)
        head.stdin.close()
        self.assertEqual(run.code, 0)
        self.assertEqual(run.verdict("passing"), ("passed", None))


if __name__ == "__main__":
    unittest.main()
