# SPDX-License-Identifier: Apache-2.0
"""Each way of writing a test: what it says, in which order, and how bad input is refused."""

import concurrent.futures
import os
import re
import sys
import tempfile
import unittest

from binary import listing, run, run_exact

BINARY = None  # path of the test binary, from the command line

AT_ONCE = 4

BOTH_ENDS = "made\nset_up\nbody\ntear_down\ndestroyed\n"
WITHOUT_BODY = "made\nset_up\ntear_down\ndestroyed\n"

# name: (outcome, exit code, [(kind, part of the message)], output or None where it does not matter)
TABLE = {
    "has_a_fixture": ("passed", 0, [], BOTH_ENDS),
    "has_a_plain_fixture": ("passed", 0, [], ""),
    "has_a_fixture_off_the_loop": ("passed", 0, [], BOTH_ENDS),
    "fails_with_a_fixture": ("failed", 1, [("check", "REQUIRE(port == 81): 80 == 81")], WITHOUT_BODY),
    "throws_with_a_fixture": ("failed", 1, [("exception", "thrown by the body")], WITHOUT_BODY),
    "hangs_with_a_fixture": ("timed_out", 124, [("timeout", "did not end within 300ms")], None),
    "is_not_run": (
        "failed", 1, [("exception", "in set_up: std::runtime_error: no server")], "made\nset_up\ndestroyed\n"),
    "is_not_run_either": ("failed", 1, [("check", "REQUIRE(1 == 2)")], ""),
    "is_skipped_by_its_fixture": ("skipped", 77, [], ""),
    "has_no_fixture": ("failed", 1, [("exception", "std::runtime_error: cannot be made")], ""),
    "passes_before_a_failing_tear_down": (
        "failed", 1, [("exception", "in tear_down: std::runtime_error: cannot stop")], ""),
    "fails_before_a_failing_tear_down": (
        "failed", 1, [("check", "1 == 2"), ("exception", "in tear_down: std::runtime_error: cannot stop")], ""),
    "hangs_before_a_failing_tear_down": (
        "timed_out", 124,
        [("timeout", "did not end within 300ms"), ("exception", "in tear_down: std::runtime_error: cannot stop")],
        None),
    "hangs_before_it_runs": ("timed_out", 124, [("timeout", "did not end within 300ms: it was in set_up")], None),
    "hangs_after_it_ran": ("timed_out", 124, [("timeout", "did not end within 300ms: it was in tear_down")], None),
    "hangs_twice": ("timed_out", 124, [("timeout", "did not end within 300ms")], None),
    "has_a_value/1": ("passed", 0, [], ""),
    "has_a_value/2": ("failed", 1, [("check", "CHECK(number != 2): 2 != 2")], ""),
    "has_a_value/3": ("passed", 0, [], ""),
    "has_several_values/one,3": ("passed", 0, [], ""),
    "has_several_values/a%20b%2Fc,5": ("passed", 0, [], ""),
    "has_several_values/none": ("passed", 0, [], ""),
    "has_values_of_a_range/2": ("passed", 0, [], ""),
    "has_values_of_a_range/3": ("passed", 0, [], ""),
    "has_values_of_a_range/5": ("passed", 0, [], ""),
    "has_values_of_its_own_type/1:2": ("passed", 0, [], ""),
    "has_values_of_its_own_type/3:4": ("passed", 0, [], ""),
    "has_values_without_text/a": ("passed", 0, [], ""),
    "has_a_fixture_and_a_value/80": ("passed", 0, [], WITHOUT_BODY),
    "has_a_fixture_and_a_value/81": ("failed", 1, [("check", "80 == 81")], WITHOUT_BODY),
    "has_no_values": ("failed", 1, [("check", "it has no values: values{...} is missing among its options, or is empty")], ""),
    "has_room_for_reports": ("passed", 0, [], ""),
    "has_the_main_thread": ("passed", 0, [], ""),
    "fails_on_the_main_thread": ("failed", 1, [("exception", "thrown on the main thread")], ""),
    "hangs_on_the_main_thread": ("timed_out", 124, [("timeout", "could not be cancelled")], None),
    "is_python": ("passed", 0, [], ""),
    "is_plain_python": ("passed", 0, [], ""),
    "is_python_with_a_fixture": ("passed", 0, [], BOTH_ENDS),
    "fails_in_python": ("failed", 1, [("exception", "AssertionError: as it must\nassert 1 == 2: 1 == 2\n")], ""),
    "compares_in_python": (
        "failed", 1, [("exception", "AssertionError: assert await fetch() == expected: [1, 2] == [1, 3]\n")], ""),
    "asserts_in_python": ("passed", 0, [], ""),
    "says_of_asserts_what_it_saw": ("passed", 0, [], ""),
    "skips_in_python": ("skipped", 77, [], ""),
    "takes_what_nobody_provides": (
        "failed", 1,
        [("exception", "the test takes 'nothing', which nobody provides; there are: temporary_folder, free_port, "
                       "random, artifact")], ""),
    "defines_no_test": (
        "failed", 1, [("exception", "defines no function `test`; write `async def test(): ...`")], ""),
    "is_no_python": ("failed", 1, [("exception", "SyntaxError")], ""),
    "fails_by_what_nobody_threw": ("failed", 1, [("exception", "std::runtime_error: made")], ""),
    "fails_as_expected": ("skipped", 77, [], ""),
    "throws_as_expected": ("skipped", 77, [], ""),
    "passes_unexpectedly": (
        "failed", 1,
        [("check", "it passed, but xfail says that it fails (bug 14): remove the xfail, or make it may_fail")], ""),
    "passes_now_and_then": ("passed", 0, [], ""),
    "fails_now_and_then": ("skipped", 77, [], ""),
    "hangs_though_it_may_fail": ("timed_out", 124, [("timeout", "did not end within 300ms")], None),
    "skips_though_it_should_fail": ("skipped", 77, [], ""),
    "is_skipped_if": ("skipped", 77, [], ""),
    "is_skipped_by_python": ("skipped", 77, [], ""),
    "has_a_failing_condition": ("failed", 1, [("exception", "in skip_if: std::runtime_error: cannot tell")], ""),
    "is_for_two_loops@asyncio+debug": ("passed", 0, [], ""),
    "is_for_two_loops@same-thread": ("passed", 0, [], ""),
    "ignores_a_leak": ("passed", 0, [], ""),
    "ignores_another_leak_only": ("failed", 1, [("leak", "task 'other-task' was still pending")], ""),
    "waits_until_it_is_so": ("passed", 0, [], ""),
    "waits_in_vain": ("failed", 1, [("check", "EVENTUALLY(++looks < 0, 20ms): ")], ""),
    "waits_off_the_loop": ("failed", 1, [("check", "EVENTUALLY_SYNC(!is_set, 5ms): after 5ms")], ""),
    "compares_floats": ("failed", 1, [("check", "CHECK(1.0 == near(1.5, 0.25)): 1 == 1.5 +- 0.25")], ""),
    "says_which_iteration": (
        "failed", 1, [("check", "1 != 1\n  item 1 of three"), ("check", "1 == 2")], ""),
    "compares_long_values": (
        "failed", 1,
        [
            ("check", "; first difference at [70]: 1 and 2, of 100 and 100 elements"),
            ("check", "; first difference at [90]: nothing and 5, of 90 and 91 elements"),
            ("check", '; first difference at [150]: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" and "aaaaaaaaaab'),
            ("check", "{?} == {?}; to see its value, give written::opaque an "
                      "operator<<(std::ostream&, const written::opaque&)"),
            ("check", "[{?}] == [{?}]; to see its value, give written::opaque an"),
        ], ""),
    "has_sub_tests": (
        "failed", 1,
        [
            ("check", "REQUIRE(1 == 2): 1 == 2\n  in the sub-test requires"),
            ("exception", "\n  in the sub-test throws"),
            ("exception", "thrown after all parts"),
        ], ""),
    "has_a_folder": ("passed", 0, [], ""),
    "leaves_artifacts": ("passed", 0, [], ""),
    "has_random_numbers": ("passed", 0, [], ""),
    "is_first_in_its_suite": ("passed", 0, [], "set_up_suite\nset_up\nfirst\ntear_down_suite\n"),
    "leaks_in_the_middle_of_its_suite": (
        "failed", 1, [("leak", "task 'own' was still pending")], "set_up_suite\nset_up\ntear_down_suite\n"),
    "is_skipped_at_the_end_of_its_suite": ("skipped", 77, [], ""),
    "has_no_suite": ("failed", 1, [("exception", "in set_up_suite: std::runtime_error: no server for all")], ""),
    "is_last_in_a_failing_suite": (
        "failed", 1, [("exception", "in tear_down_suite: std::runtime_error: cannot stop for all")], ""),
    "has_a_suite_that_leaks": ("failed", 1, [("leak", "task 'of all' was still pending")], ""),
}


class WrittenTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(__import__("shutil").rmtree, self.folder)

    def run_one(self, name, *arguments, environment=None):
        return run_exact(BINARY, f"written.{name}", *arguments, environment=environment, folder=self.folder)


class Verdicts(WrittenTest):
    maxDiff = None

    def check_one(self, name, environment=None):
        outcome, code, failures, output = TABLE[name]
        ended = self.run_one(name, environment=environment)
        self.assertEqual([kind for kind, _ in ended.failures], [kind for kind, _ in failures], ended)
        for (_, message), (_, part) in zip(ended.failures, failures):
            self.assertIn(part, message)
        self.assertEqual((ended.outcome, ended.code), (outcome, code), ended)
        if output is not None:
            self.assertEqual(ended.output, output)

    def test_table_is_complete(self):
        self.assertEqual(set(listing(BINARY)), {f"written.{name}" for name in TABLE})

    def check_all(self, environment=None):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            checks = {name: pool.submit(self.check_one, name, environment) for name in TABLE}
        for name, check in checks.items():
            with self.subTest(name):
                check.result()

    def test_each(self):
        self.check_all()

    def test_each_on_the_same_thread(self):
        self.check_all({"BRIDGE_TEST_LOOP": "same-thread"})


class Fixtures(WrittenTest):
    def test_tear_down_follows_a_time_out(self):
        ended = self.run_one("hangs_with_a_fixture")
        self.assertTrue(ended.output.startswith("made\nset_up\n"), ended.output)
        self.assertTrue(ended.output.endswith("tear_down\ndestroyed\n"), ended.output)

    def test_what_was_not_set_up_is_not_torn_down(self):
        ended = self.run_one("hangs_before_it_runs")
        self.assertTrue(ended.output.endswith("destroyed\n"), ended.output)
        self.assertNotIn("tear_down\n", ended.output)

    def test_a_skip_says_why(self):
        for name, reason in (
            ("is_skipped_by_its_fixture", "no server here"),
            ("skips_in_python", "no network here"),
            ("is_skipped_if", "not on this system"),
            ("is_skipped_by_python", "no sys.no"),
            ("fails_as_expected", "failed as expected: bug 12"),
            ("fails_now_and_then", "failed as expected: bug 16"),
            ("skips_though_it_should_fail", "not here"),
        ):
            with self.subTest(name):
                self.assertEqual(self.run_one(name).message, reason)

    def test_an_expected_failure_is_a_note(self):
        note = self.run_one("fails_as_expected").notes[0]
        self.assertRegex(note, r"expected: .*written\.cpp:\d+: CHECK\(1 == 2\): 1 == 2")

    def test_one_process_runs_all(self):
        ended = run(BINARY, "fixture", "tear_down", environment={"TMPDIR": self.folder})
        self.assertEqual(ended.returncode, 1)
        self.assertTrue(ended.stdout.endswith("5 passed, 8 failed, 1 skipped\n"), ended.stdout)


    def test_a_suite_is_set_up_once_in_a_process(self):
        for loop in ("asyncio", "same-thread"):
            ended = run(BINARY, "its_suite", "has_a_plain_fixture", "--loop", loop)
            lines = [line for line in ended.stdout.splitlines() if re.match("set_up|tear_down|first|ok|FAIL|skip", line)]
            self.assertEqual([re.sub(r"written\.| \(.*|:.*", "", line) for line in lines], [
                "ok has_a_plain_fixture",
                "set_up_suite", "set_up", "first", "ok is_first_in_its_suite",
                "set_up", "FAILED leaks_in_the_middle_of_its_suite",
                "tear_down_suite", "skipped is_skipped_at_the_end_of_its_suite",
            ], ended.stdout)


class Listing(WrittenTest):
    def test_options_of_the_file(self):
        tests = listing(BINARY)
        plain = tests["written.has_a_fixture"]
        self.assertEqual((plain["timeout_ms"], plain["tags"]), (20_000, ["file"]))
        own = tests["written.hangs_with_a_fixture"]
        self.assertEqual((own["timeout_ms"], own["tags"]), (300, ["file"]))
        self.assertEqual(tests["written.has_several_values/none"]["tags"], ["file", "table"])

    def test_values_are_parts_of_the_name(self):
        test = listing(BINARY)["written.has_several_values/a%20b%2Fc,5"]
        self.assertEqual((test["suite"], test["name"]), ("written", "has_several_values/a%20b%2Fc,5"))

    def test_loops(self):
        tests = listing(BINARY, "--loops", "same-thread,uvloop")
        self.assertIn("written.has_a_value/1@uvloop", tests)
        self.assertIn("written.has_a_value/1@same-thread", tests)
        self.assertNotIn("written.has_a_value/1", tests)
        self.assertIn("written.is_for_two_loops@same-thread", tests)
        self.assertNotIn("written.is_for_two_loops@uvloop", tests)
        self.assertNotIn("written.is_for_two_loops@asyncio+debug", tests)

    def test_loops_that_leave_nothing_are_named(self):
        for words, text in (
            (("is_for_two", "--loops", "uvloop,asyncio"),
             "no test matches the filter; --loops asyncio,uvloop leaves out the tests that are for other loops"),
            (("no such test", "--loops", "uvloop"), "no test matches the filter"),
            (("is_for_two@uvloop",), "no test matches the filter"),
        ):
            with self.subTest(words):
                ended = run(BINARY, *words)
                self.assertEqual((ended.returncode, ended.stderr), (5, f"error: {text}\n"))

    def test_an_id_may_name_a_loop_that_the_list_does_not(self):
        self.assertEqual(self.run_one("has_a_fixture@same-thread").outcome, "passed")
        for name in ("has_a_fixture@trio", "is_for_two_loops", "is_for_two_loops@uvloop"):
            ended = run(BINARY, "--run-exact", f"written.{name}")
            self.assertEqual(ended.returncode, 4, ended)
            self.assertIn(f"there is no test with the id written.{name}; see --list", ended.stderr)

    def test_bad_command_lines(self):
        for arguments, text in (
            (("--loops", "asyncio,trio"), "--loops is 'trio', which is not one of asyncio, asyncio+debug, "
                                          "same-thread, uvloop"),
            (("--loops", ""), "--loops is ''"),
            (("--seed", "x"), "--seed is 'x', which is not a number"),
            (("--require-loops=1",), "there is no option --require-loops"),
        ):
            with self.subTest(arguments):
                ended = run(BINARY, *arguments)
                self.assertEqual(ended.returncode, 4)
                self.assertIn(text, ended.stderr)

    def test_a_loop_that_is_not_installed(self):
        hidden = os.path.join(self.folder, "uvloop.py")
        with open(hidden, "w", encoding="utf-8") as file:
            file.write("raise ImportError('hidden')\n")
        environment = {"PYTHONPATH": self.folder}
        ended = self.run_one("has_a_value/1@uvloop", environment=environment)
        self.assertEqual((ended.outcome, ended.code), ("skipped", 77))
        self.assertEqual(
            ended.message, "the loop uvloop is asked for, but not installed: ImportError: hidden")
        ended = self.run_one("has_a_value/1@uvloop", "--require-loops", environment=environment)
        self.assertEqual((ended.outcome, ended.code), ("failed", 1))
        self.assertIn("not installed", ended.failures[0][1])
        ended = run(BINARY, "--require-loops", "--exact", "written.has_a_value/1@uvloop", environment=environment)
        self.assertRegex(ended.stdout, r"again: \S+ --require-loops --run-exact written.has_a_value/1@uvloop --seed")


class Context(WrittenTest):
    def test_a_leak_that_is_ignored_is_counted(self):
        self.assertIn("1 leak(s) ignored: task:ignored-task", self.run_one("ignores_a_leak").notes)

    def test_the_traceback_of_a_text_shows_the_files_lines(self):
        (message,) = [message for _, message in self.run_one("fails_in_python").failures]
        found = re.search(r'File "(.*written\.cpp)", line (\d+), in test\n    (.*)', message)
        self.assertTrue(found, message)
        with open(found[1], encoding="utf-8") as file:
            line = file.readlines()[int(found[2]) - 1]
        self.assertIn("# the line", line)
        self.assertIn("# the line", found[3])

    def test_what_nobody_threw_has_no_place(self):
        (message,) = [message for _, message in self.run_one("fails_by_what_nobody_threw").failures]
        self.assertNotIn("thrown at", message)

    def test_a_skipped_part_is_a_note(self):
        self.assertIn("skipped: this part, in the sub-test skips", self.run_one("has_sub_tests").notes)

    def test_the_folder_is_gone(self):
        folder = self.run_one("has_a_folder", environment={"TMPDIR": self.folder}).notes[0]
        self.assertEqual(os.path.dirname(folder), self.folder)
        self.assertFalse(os.path.exists(folder))

    def test_artifacts_are_kept_and_named(self):
        notes = self.run_one("leaves_artifacts", "--artifacts", os.path.join(self.folder, "kept")).notes
        path = os.path.join(self.folder, "kept", "written.leaves_artifacts", "logs", "log.txt")
        self.assertEqual([one for one in notes if one.startswith("artifact")], [f"artifact: {path}"])
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "text")

    def test_a_seed_repeats_random_numbers(self):
        first, second = (self.run_one("has_random_numbers", "--seed", "7").notes for _ in range(2))
        self.assertEqual(first[0], second[0])
        self.assertIn("random numbers: repeat them with --seed 7", first)
        self.assertNotEqual(self.run_one("has_random_numbers", "--seed", "8").notes[0], first[0])
        notes = self.run_one("has_random_numbers").notes
        seed = re.search(r"--seed (\d+)", "\n".join(notes))[1]
        again = self.run_one("has_random_numbers", environment={"BRIDGE_TEST_SEED": seed}).notes
        self.assertEqual(again[0], notes[0])


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
