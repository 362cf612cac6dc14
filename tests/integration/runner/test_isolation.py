# SPDX-License-Identifier: Apache-2.0
"""The same verdicts whatever tests share, and what each isolation does beside."""

import os
import unittest

from driver import RunnerTest, fixture
from test_verdicts import BROKEN

HARNESS = os.environ["BRIDGE_TEST_HARNESS_FIXTURE"]
MODES = ("process", "fork", "batch")


class IsolationTest(RunnerTest):
    def verdicts(self, *words, **options):
        run = self.run_tests(*words, **options)
        table = {
            case.get("name"): run.verdict(case.get("name")) for case in run.report.iter("testcase")
        }
        return run, table


class SameVerdicts(IsolationTest):
    maxDiff = None

    def test_of_everything_that_is_broken(self):
        expected = {name: element for name, (_, element, _) in BROKEN.items()}
        for mode, jobs in (("process", "-j8"), ("fork", "-j8"), ("batch", "-j2"), ("batch", "-j8")):
            with self.subTest(mode=mode, jobs=jobs):
                words = (fixture("broken"), "--grace", "100ms", "--isolation", mode, jobs)
                run, table = self.verdicts(*words)
                self.assertEqual(table, expected)
                self.assertEqual((run.code, run.err), (1, ""))
                for name in ("segfaults", "exits_with_3", "passes_then_aborts", "hangs"):
                    self.assertIn(BROKEN[name][2], run.out)

    def test_of_the_five(self):
        for mode in MODES:
            with self.subTest(mode):
                run = self.run_tests(fixture("five"), "--grace", "100ms", "--isolation", mode)
                self.assertIn(
                    "5 tests run: 1 passed, 1 failed, 1 timed out, 1 crashed, 1 skipped", run.out
                )
                self.assertIn("fixture.cpp:7: 1 == 2\n", run.out)

    def test_of_the_harness(self):
        tables = {}
        for mode in MODES:
            run, tables[mode] = self.verdicts(HARNESS, "-j6", "--isolation", mode, bound=400)
            self.assertEqual((run.code, run.err), (1, ""), mode)
            self.assertGreater(len(tables[mode]), 25)
        self.assertEqual(tables["fork"], tables["process"])
        self.assertEqual(tables["batch"], tables["process"])

    def test_what_a_test_has_closed_is_there_for_the_next(self):
        """Else the next one's loop has its number, and loses it to what that test opens there."""
        words = ("closes_stdout", "takes_the_place_of_stdout", "-j1", "--isolation", "batch")
        run = self.run_tests(HARNESS, *words)
        self.assertEqual(run.code, 0, run.out)
        self.assertIn("2 tests run: 2 passed", run.out)

    def test_in_place(self):
        for id, code in (
            ("fixture.passes", 0),
            ("fixture.throws", 1),
            ("fixture.skips", 77),
            ("fixture.hangs_awaiting", 124),
            ("fixture.aborts", -6),
        ):
            with self.subTest(id):
                words = (HARNESS, "--exact", id, "--isolation", "none")
                self.assertEqual(self.run_tests(*words, junit=False).code, code)


class Sessions(IsolationTest):
    def processes(self, mode):
        """How many processes the logged tests ran in, and in which order they began."""
        self.environment["FIXTURE_LOG"] = os.path.join(self.folder, "log")
        words = (fixture("helpful"), "count.", "-j1", "--isolation", mode)
        run = self.run_tests(*words)
        self.assertEqual((run.code, run.err), (0, ""))
        with open(self.environment["FIXTURE_LOG"], encoding="utf-8") as file:
            return [line.split() for line in file]

    def test_who_shares_a_process(self):
        for mode, pids, parents in (("process", 3, 1), ("fork", 3, 1), ("batch", 1, 1)):
            with self.subTest(mode):
                lines = self.processes(mode)
                os.remove(self.environment["FIXTURE_LOG"])
                self.assertEqual(len({pid for pid, _, _ in lines}), pids)
                self.assertEqual(len({parent for _, parent, _ in lines}), parents)
                self.assertEqual([id for _, _, id in lines], ["count.a", "count.b", "count.c"])

    def test_each_has_its_own_output_and_time_out(self):
        for mode in MODES:
            with self.subTest(mode):
                words = ("--exact", "look.timeout", "mark.prints", "--timeout", "1.5")
                run = self.run_tests(fixture("helpful"), *words, "-j1", "-v", "--isolation", mode)
                self.assertEqual(run.code, 0, run.out)
                printed = run.out.split("printed by the test\n")
                self.assertEqual(len(printed), 2)
                self.assertRegex(printed[0].splitlines()[-3], r"PASS .* mark\.prints")

    def test_a_test_sees_the_same_surroundings(self):
        for mode in MODES:
            for id in ("look.environment", "look.signals"):
                with self.subTest(mode=mode, id=id):
                    words = ("--exact", id, "--isolation", mode)
                    run = self.run_tests(fixture("helpful"), *words)
                    self.assertEqual(run.code, 0, run.out)
        run = self.run_tests(fixture("helpful"), "--exact", "look.descriptors", "--isolation", "fork")
        self.assertEqual(run.code, 0, run.out)

    def test_a_binary_that_cannot_is_told_and_runs_nevertheless(self):
        for serves, mode, why in (
            ("nothing", "fork", "it does not know it"),
            ("nothing", "batch", "it does not know it"),
            ("batch", "fork", "3 threads run"),
        ):
            with self.subTest(mode=mode, why=why):
                self.environment["FIXTURE_SERVES"] = serves
                words = (fixture("five"), "passing", "failing", "--isolation", mode, "-j2")
                run = self.run_tests(*words)
                self.assertIn("2 tests run: 1 passed, 1 failed", run.out)
                self.assertEqual(run.err.count(f"five: --isolation {mode} is refused: {why}"), 1)

    def test_a_harness_with_a_thread_before_its_tests_refuses_to_fork(self):
        run = self.run_tests(fixture("threaded"), "--isolation", "fork")
        self.assertEqual(run.code, 0, run.out)
        self.assertRegex(run.err, r"threaded: --isolation fork is refused: \d+ threads run before the "
                                  r"first test, and a fork would have only one of them; each of its "
                                  r"tests runs in a process of its own")
        self.assertEqual(self.run_tests(fixture("threaded"), "--isolation", "batch").err, "")

    def test_a_binary_that_does_not_keep_to_the_protocol(self):
        for serves, why in (("nonsense", "not one JSON object"), ("endless", "a line without an end")):
            for mode in ("fork", "batch"):
                with self.subTest(serves=serves, mode=mode):
                    self.environment["FIXTURE_SERVES"] = serves
                    words = (fixture("five"), "passing", "hanging", "--isolation", mode, "-j1")
                    run, table = self.verdicts(*words)
                    self.assertEqual(run.code, 1, run.out)
                    self.assertEqual(set(table.values()), {("error", "crash")})
                    self.assertIn("did not keep to the protocol, and was killed: ", run.err)
                    self.assertIn(why, run.err)

    def test_what_goes_wrong_at_the_exit_is_the_last_tests(self):
        self.environment["FIXTURE_EXIT"] = "3"
        run, table = self.verdicts(
            fixture("helpful"), "mark.prints", "look.signals", "-j1", "--isolation", "batch"
        )
        self.assertIn("ended with exit code 3 after the test had passed", run.out)
        self.assertEqual(sorted(table.values(), key=str), [("error", "crash"), ("passed", None)])

    def test_retries_and_rounds(self):
        for mode in MODES:
            with self.subTest(mode):
                self.environment["FIXTURE_LOG"] = os.path.join(self.folder, f"log.{mode}")
                run = self.run_tests(
                    fixture("orderly"), "try.", "--retries", "2", "--isolation", mode, "-j2"
                )
                self.assertIn("5 tests run: 4 passed, 2 of them flaky, 1 failed", run.out)
                run = self.run_tests(
                    fixture("orderly"), "always_passes", "--repeat", "5", "--isolation", mode
                )
                self.assertIn("1 test run: 1 passed", run.out)

    def test_an_interrupt_ends_them(self):
        import signal

        for mode in MODES:
            for twice in (False, True):
                with self.subTest(mode=mode, twice=twice):
                    announcements = self.fifo()
                    words = (fixture("helpful"), "wait.term", "mark.prints", "--isolation", mode)
                    process = self.start(*words, "-j1")
                    announcements.wait_for("up")
                    process.send_signal(signal.SIGINT)
                    announcements.wait_for("term")
                    if twice:
                        process.send_signal(signal.SIGINT)
                    run = self.finish(process)
                    announcements.wait_for_end()
                    self.assertEqual(run.code, 2)
                    self.assertIn("0 tests run: 2 not run", run.out)

    def test_a_killed_runner_leaves_nobody_behind(self):
        for mode in MODES:
            with self.subTest(mode):
                announcements = self.fifo()
                process = self.start(fixture("helpful"), "wait.", "--isolation", mode, "-j2")
                announcements.wait_for("up", times=3)  # one of the tests is two processes
                process.kill()
                process.communicate()
                announcements.wait_for_end()


class InPlace(RunnerTest):
    def run_in_place(self, *words, **options):
        options.setdefault("junit", False)
        return self.run_tests(*words, "--isolation", "none", **options)

    def test_all_tests_run_in_this_process_in_sequence(self):
        run = self.run_in_place(HARNESS, "fixture.passes", "fixture.skips", "fixture.throws")
        self.assertEqual(run.code, 1)
        self.assertRegex(run.out, r"ok fixture\.passes")
        self.assertRegex(run.out, r"\d passed, \d failed, \d skipped\n")

    def test_it_is_the_same_process(self):
        process = self.start(fixture("helpful"), "--exact", "count.a", "--isolation", "none",
                             junit=False)
        self.environment["FIXTURE_LOG"] = os.path.join(self.folder, "log")
        process.communicate()
        process = self.start(fixture("helpful"), "--exact", "count.a", "--isolation", "none",
                             junit=False)
        process.communicate(timeout=30)
        with open(self.environment["FIXTURE_LOG"], encoding="utf-8") as file:
            self.assertEqual(file.read().split()[0], str(process.pid))

    def test_what_needs_a_runner_is_refused(self):
        for option in (["--junit", "x.xml"], ["--retries", "1"], ["--repeat", "2"], ["--until-fail"]):
            run = self.run_in_place(fixture("five"), "passing", *option)
            self.assertEqual(run.code, 4)
            self.assertIn(f"--isolation none: {option[0]} needs bridge-test", run.err)

    def test_several_binaries_are_refused(self):
        run = self.run_in_place(fixture("five"), fixture("helpful"))
        self.assertEqual(run.code, 4)
        self.assertIn("in several binaries, five and helpful; name one", run.err)

    def test_a_switch_that_is_off_needs_no_runner(self):
        self.environment["BRIDGE_TEST_UNTIL_FAIL"] = "true"
        run = self.run_in_place(HARNESS, "--exact", "fixture.passes", "--until-fail=false")
        self.assertEqual(run.code, 0, run.err)

    def test_a_part_without_tests_is_no_error(self):
        runs = [self.run_in_place(HARNESS, "--exact", "fixture.passes", "--shard", f"{k}/3")
                for k in range(1, 4)]
        self.assertEqual([run.code for run in runs], [0, 0, 0])
        told = [run.err for run in runs if run.err]
        self.assertEqual(len(told), 2)
        for text in told:
            self.assertRegex(text, r"^warning: none of the 1 selected tests is in shard ./3\n$")

    def test_no_test(self):
        run = self.run_in_place(fixture("five"), "nothing")
        self.assertEqual(run.code, 5)
        self.assertIn("no test fits filter 'nothing'", run.err)


if __name__ == "__main__":
    unittest.main()
