# SPDX-License-Identifier: Apache-2.0
"""What runs when and beside what, shards, retries, rounds, and the way to the end of a hang."""

import json
import os
import re
import resource
import unittest

from driver import RunnerTest, fixture


class ScheduleTest(RunnerTest):
    def setUp(self):
        super().setUp()
        self.log = os.path.join(self.folder, "log")
        self.environment["FIXTURE_LOG"] = self.log

    def run_orderly(self, *words, **options):
        return self.run_tests(fixture("orderly"), *words, **options)

    def lines(self):
        with open(self.log, encoding="utf-8") as file:
            return [tuple(line.split()) for line in file]

    def calls(self, name):
        return self.lines().count(("call", name))


class Shortage(RunnerTest):
    def test_with_few_descriptors_tests_wait_for_each_other(self):
        self.environment["FIXTURE_COUNT"] = "100"
        few = (48, 48)
        run = self.run_tests(fixture("many"), "-j90", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few))
        self.assertEqual((run.code, run.err), (1, ""))
        self.assertIn("100 tests run: 99 passed, 1 failed\n", run.out)

    def test_with_too_few_for_one_it_says_so(self):
        for few in (12, 7, 5):
            with self.subTest(few):
                run = self.run_tests(
                    fixture("five"), "passing", junit=False,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, few)))
                self.assertIn(run.code, (3, 10))
                self.assertIn("Too many open files", run.err)
                self.assertNotIn("please report it", run.err)


class Order(ScheduleTest):
    def overlaps(self):
        """Pairs of tests that ran at the same time."""
        pairs, running = set(), set()
        for word, id in self.lines():
            if word == "begin":
                pairs |= {frozenset((id, other)) for other in running}
                running.add(id)
            else:
                running.discard(id)
        return pairs

    def test_groups_and_serial_tests(self):
        run = self.run_orderly("free", "group", "serial", "-j4")
        self.assertIn("7 tests run: 7 passed", run.out)
        overlaps = self.overlaps()
        self.assertIn(frozenset(("free.a", "group.a")), overlaps)
        for pair in overlaps:
            self.assertLess(sum(id.startswith("group") for id in pair), 2, overlaps)
            self.assertFalse(any(id.startswith("serial") for id in pair), overlaps)

    def test_one_at_a_time_keeps_the_order_but_for_serial_ones(self):
        for _ in range(2):
            self.run_orderly("free", "group", "serial", "-j1")
        began = [id for word, id in self.lines() if word == "begin"]
        expected = ["free.a", "group.a", "group.b", "group.c", "free.b", "serial.a", "serial.b"]
        self.assertEqual(began, expected * 2)

    def test_the_longest_of_the_last_run_is_first(self):
        self.run_orderly("long.", "-j3")
        os.remove(self.log)
        self.run_orderly("long.", "-j2")
        lines = self.lines()
        first_end = [word for word, _ in lines].index("end")
        self.assertGreater(lines.index(("begin", "long.short")), first_end, lines)
        os.remove(self.log)
        with open(self.state, encoding="utf-8") as file:
            state = json.load(file)
        state["tests"] = [one for one in state["tests"] if one["id"] != "long.short"]
        with open(self.state, "w") as file:
            json.dump(state, file)
        self.run_orderly("long.", "-j2")  # unknown ones are before all
        lines = self.lines()
        end, begin = ("end", "long.short"), ("begin", "long.middle")
        self.assertLess(lines.index(end), lines.index(begin), lines)


class Shards(ScheduleTest):
    def ids(self, *words, **settings):
        self.environment.update(settings)
        run = self.run_tests("list", fixture("orderly"), *words, junit=False)
        self.assertEqual(run.code, 0, run.err)
        for name in settings:
            del self.environment[name]
        return re.findall(r"(?m)^    (\S+)", run.out)

    def test_together_they_are_the_whole_and_none_is_twice(self):
        for count in (1, 2, 3, 7):
            parts = [self.ids("--shard", f"{k}/{count}") for k in range(1, count + 1)]
            self.assertEqual(sorted(sum(parts, [])), sorted(self.ids()))

    def test_what_is_selected_does_not_move_the_others(self):
        part = self.ids("--shard", "2/3")
        self.assertEqual(self.ids("--shard", "2/3", "group"), [id for id in part if "group" in id])

    def test_the_environment_names_one(self):
        expected = self.ids("--shard", "2/3")
        self.assertEqual(self.ids(CI_NODE_INDEX="2", CI_NODE_TOTAL="3"), expected)
        self.assertEqual(self.ids(GTEST_SHARD_INDEX="1", GTEST_TOTAL_SHARDS="3"), expected)
        first = self.ids("--shard", "1/3")
        self.assertEqual(self.ids("--shard", "1/3", CI_NODE_INDEX="2", CI_NODE_TOTAL="3"), first)
        self.assertEqual(self.ids(CI_NODE_TOTAL="1"), self.ids())
        self.assertEqual(self.ids(CI_NODE_INDEX="", CI_NODE_TOTAL=""), self.ids())
        self.assertEqual(self.ids(CI_NODE_INDEX="", CI_NODE_TOTAL="",
                                  GTEST_SHARD_INDEX="1", GTEST_TOTAL_SHARDS="3"), expected)

    def test_a_wrong_environment_is_refused(self):
        self.environment.update(CI_NODE_INDEX="0", CI_NODE_TOTAL="3")
        run = self.run_orderly()
        self.assertEqual(run.code, 4)
        self.assertIn("CI_NODE_INDEX=0 and CI_NODE_TOTAL=3, which is not a shard", run.err)

    def test_an_empty_shard_is_no_error_but_an_empty_selection_is(self):
        counts = []
        for k in range(1, 4):
            run = self.run_orderly("try.always_passes", "--shard", f"{k}/3")
            self.assertEqual(run.code, 0, run.err)
            counts.append(int(run.report.get("tests")))
            if counts[-1] == 0:
                self.assertIn(f"none of the 1 selected tests is in shard {k}/3", run.err)
        self.assertEqual(sorted(counts), [0, 0, 1])
        self.assertEqual(self.run_orderly("nothing", "--shard", "1/3").code, 5)


class Retries(ScheduleTest):
    def test_a_failure_is_tried_again_and_marked(self):
        run = self.run_orderly("passes_at_last", "always", "--retries", "2", "-j1")
        self.assertEqual(run.code, 1)
        called = [id.removeprefix("try.") for _, id in self.lines()]
        expected = ["passes_at_last"] * 3 + ["always_fails"] * 3 + ["always_passes"]
        self.assertEqual(called, expected)  # a retry comes before all that wait
        self.assertIn("TRY 1 of 3:      FAIL", run.out)
        self.assertRegex(run.out, r"PASS \[.*\] try\.passes_at_last \(flaky: attempt 3\)")
        self.assertIn("3 tests run: 2 passed, 1 of them flaky, 1 failed", run.out)
        self.assertEqual(run.report.get("tests"), "3")
        run = self.run_tests("list", fixture("orderly"), "-E", "status:flaky", junit=False)
        self.assertIn("    try.passes_at_last\n", run.out)

    def test_too_few(self):
        run = self.run_orderly("passes_at_last", "--retries", "1")
        self.assertIn("1 test run: 1 failed", run.out)

    def test_a_test_may_ask_for_them_itself(self):
        run = self.run_orderly("crashes_once")
        self.assertEqual(run.code, 0, run.out)
        self.assertIn("(flaky: attempt 2)", run.out)

    def test_the_command_line_has_the_last_word(self):
        self.assertEqual(self.run_orderly("crashes_once", "--retries", "0").code, 1)

    def test_after_enough_failures_there_are_no_more(self):
        words = ("always_fails", "passes_at_last", "-j1", "--retries", "2", "--max-fail", "1")
        run = self.run_orderly(*words, "-E", "not suite:none")
        self.assertEqual(self.calls("try.passes_at_last"), 3)  # the first of them
        self.assertIn("2 tests run: 1 passed, 1 of them flaky, 1 failed", run.out)


class Rounds(ScheduleTest):
    def test_every_test_runs_so_often_and_the_worst_counts(self):
        run = self.run_orderly("always_passes", "fails_at_last", "--repeat", "4")
        self.assertEqual(run.code, 1)
        self.assertEqual(self.calls("try.always_passes"), 4)
        self.assertEqual(self.calls("try.fails_at_last"), 4)
        self.assertIn("2 tests run: 1 passed, 1 failed", run.out)
        self.assertIn("note: it ran 4 times and failed 2 of them", run.out)
        self.assertEqual(run.report.get("tests"), "2")

    def test_a_failure_of_any_round_counts_for_the_most_there_may_be(self):
        words = ("always_fails", "--repeat", "9", "--max-fail", "2", "-j1")
        run = self.run_orderly(*words, "--retries", "1")
        self.assertEqual(run.code, 1)
        self.assertEqual(self.calls("try.always_fails"), 4)  # each round is two attempts
        self.assertIn("note: it ran 2 times and failed 2 of them", run.out)
        self.assertIn("1 test run: 1 failed", run.out)

    def test_until_one_fails(self):
        run = self.run_orderly("always_passes", "fails_at_last", "--until-fail", "-j1")
        self.assertEqual(run.code, 1)
        self.assertEqual(self.calls("try.fails_at_last"), 3)
        self.assertEqual(self.calls("try.always_passes"), 2)
        self.assertIn("2 tests run: 1 passed, 1 failed", run.out)

    def test_until_one_fails_or_so_often(self):
        run = self.run_orderly("always_passes", "--until-fail", "--repeat", "5")
        self.assertEqual(run.code, 0)
        self.assertEqual(self.calls("try.always_passes"), 5)

    def test_the_time_of_the_run_is_an_end_too(self):
        run = self.run_orderly("always_passes", "--until-fail", "--run-timeout", "300ms")
        self.assertEqual(run.code, 12)
        self.assertIn("1 test run: 1 passed", run.out)
        self.assertEqual(run.verdict("always_passes"), ("passed", None))


class Ladder(ScheduleTest):
    def test_a_slow_one_is_marked(self):
        run = self.run_orderly("long.long", "--slow", "150ms")
        self.assertRegex(run.out, r"SLOW > \[   0\.150s\] long\.long")
        self.assertRegex(run.out, r"SLOW > \[   0\.300s\] long\.long")

    def test_who_can_explains_where_it_hangs(self):
        if not os.path.exists("/proc/self/status"):
            self.skipTest("this system does not tell who catches SIGQUIT")
        run = self.run_orderly("hang.explains", "--grace", "1ms")
        self.assertEqual(run.verdict("explains"), ("error", "timeout"))
        self.assertEqual(run.case("explains").find("system-out").text, "here it hangs\n")

    def test_who_cannot_is_not_killed_by_the_question(self):
        run = self.run_tests(fixture("five"), "hanging", "--grace", "1ms")
        self.assertEqual(run.verdict("hanging"), ("error", "timeout"))


if __name__ == "__main__":
    unittest.main()
