# SPDX-License-Identifier: Apache-2.0
"""Which tests run, how many at a time, and when no more are started."""

import filecmp
import json
import os
import re
import shutil
import unittest

from driver import RunnerTest, fixture

FIVE = {f"five.{name}" for name in ("passing", "failing", "hanging", "crashing", "skipped")}


class Selection(RunnerTest):
    def check(self, words, ids, code=0):
        run = self.run_tests("list", fixture("five"), *words, junit=False)
        self.assertEqual(set(re.findall(r"(?m)^    (\S+)", run.out)), ids)
        self.assertEqual(run.code, code, run.err)
        return run

    def test_without_words_all_are_selected(self):
        self.check([], FIVE)

    def test_a_filter_is_a_part_of_the_id(self):
        self.check(["ing"], FIVE - {"five.skipped"})
        self.check(["pass", "skip"], {"five.passing", "five.skipped"})

    def test_an_exact_id(self):
        self.check(["--exact", "five.passing"], {"five.passing"})

    def test_a_skip(self):
        self.check(["--skip", "ing"], {"five.skipped"})

    def test_a_tag(self):
        self.check(["--tag", "quick"], {"five.passing", "five.failing"})
        self.check(["-t", "good", "--skip", "x"], {"five.passing"})

    def test_a_word_that_fits_nothing_is_told(self):
        run = self.check(["pass", "pasing", "--tag", "good", "--tag", "godo"], {"five.passing"})
        self.assertIn("warning: filter 'pasing' fits no test", run.err)
        self.assertIn("warning: --tag 'godo' fits no test", run.err)

    def test_nothing_selected_is_an_error(self):
        run = self.check(["--exact", "five.pass"], set(), code=5)
        self.assertIn("no test fits --exact 'five.pass': searched 5 tests", run.err)
        run = self.run_tests(fixture("five"), "nothing-like-this")
        self.assertEqual(run.code, 5)
        self.assertIn("no test fits filter 'nothing-like-this'", run.err)
        self.assertEqual(run.report.get("tests"), "0")

    def test_only_the_selected_run(self):
        run = self.run_tests(fixture("five"), "passing")
        self.assertEqual(run.code, 0)
        self.assertIn("1 test run: 1 passed", run.out)
        self.assertEqual(len(list(run.report.iter("testcase"))), 1)


class Usage(RunnerTest):
    def test_an_unknown_option(self):
        run = self.run_tests("--junti", "x", junit=False)
        self.assertEqual((run.code, run.out), (4, ""))
        self.assertIn("bridge-test: unknown option '--junti'; did you mean '--junit'?", run.err)

    def test_an_option_without_its_value(self):
        program = shutil.copy(fixture("five"), self.folder)
        for option in ("--junit=", "--report-log=", "--state=", "--jobs="):
            run = self.run_tests(option, program, junit=False)
            self.assertEqual((run.code, run.out), (4, ""))
            self.assertIn(f"{option[:-1]} has no value; write one, or leave the option out", run.err)
        self.assertTrue(filecmp.cmp(program, fixture("five"), shallow=False))

    def test_a_file_is_written_for_one_use_and_is_no_program(self):
        program = shutil.copy(fixture("five"), self.folder)
        for words, message in (
            (["--junit", program], f"--junit: {program} is a program; name another file"),
            (["--report-log", program], f"--report-log: {program} is a program"),
            (["--junit", "a", "--report-log", "./a"], "--junit and --report-log name the same file"),
            (["--report-log", "a", "--state", "a"], "--report-log and --state name the same file"),
        ):
            run = self.run_tests(program, *words, junit=False)
            self.assertEqual((run.code, run.out), (4, ""), words)
            self.assertIn(message, run.err)
        self.assertTrue(filecmp.cmp(program, fixture("five"), shallow=False))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "a")))

    def test_help_and_version(self):
        self.assertIn("--junit", self.run_tests("help", junit=False).out)
        version = self.run_tests("--version", junit=False).out
        self.assertRegex(version, r"^bridge-test \d+\.\d+\.\d+\n$")

    def test_no_binary_anywhere(self):
        run = self.run_tests(junit=False)
        self.assertEqual(run.code, 5)
        self.assertIn("name a test binary or a build folder", run.err)


    def test_a_current_folder_that_is_gone(self):
        gone = os.path.join(self.folder, "gone")
        os.mkdir(gone)
        os.symlink(fixture("five"), os.path.join(self.folder, "five"))

        def enter_and_remove():
            os.chdir(gone)
            os.rmdir(gone)

        run = self.run_tests("../five", junit=False, preexec_fn=enter_and_remove)
        self.assertEqual((run.code, run.out), (4, ""))
        self.assertIn("the current folder cannot be told: No such file or directory; change to", run.err)


class Manifest(RunnerTest):
    def write(self, folder, *binaries):
        os.makedirs(os.path.join(self.folder, folder), exist_ok=True)
        path = os.path.join(self.folder, folder, "bridge-test-manifest.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"bridge_manifest": 1, "binaries": binaries}, file)

    def test_it_gives_binaries_settings_and_folder(self):
        place = os.path.realpath(self.folder)
        settings = [f"FIXTURE_FOLDER={place}/build", "FIXTURE_SETTING=a=b c"]
        binary = {
            "path": fixture("helpful"),
            "environment": settings,
            "working_directory": f"{place}/build",
        }
        self.write("build", binary)
        for words in ([], ["build"], ["./build/"]):
            run = self.run_tests(*words, "--exact", "look.folder")
            self.assertEqual(run.code, 0, run.out + run.err)

    def test_several_build_folders_have_to_be_told_apart(self):
        self.write("build/dev", fixture("five"))
        self.write("build/asan", fixture("five"))
        run = self.run_tests()
        self.assertEqual(run.code, 4)
        self.assertIn("several build folders have tests: build/asan, build/dev; name", run.err)
        self.assertEqual(self.run_tests("build/dev", "passing").code, 0)

    def test_a_binary_that_is_not_built(self):
        self.write("build", fixture("five"), "/none/such")
        run = self.run_tests("passing")
        self.assertEqual(run.code, 10)
        self.assertIn("/none/such: the manifest names it, but it is not there", run.err)
        self.assertEqual(run.verdict("passing"), ("passed", None))


class Order(RunnerTest):
    def test_two_at_a_time_are_two_at_a_time(self):
        self.environment["FIXTURE_MEETING"] = os.path.join(self.folder, "meeting")
        os.mkfifo(self.environment["FIXTURE_MEETING"])
        run = self.run_tests(fixture("helpful"), "meet.", "-j2")
        self.assertEqual(run.code, 0, run.out)

    def test_one_at_a_time_is_one_at_a_time(self):
        self.environment["FIXTURE_FOLDER"] = self.folder
        run = self.run_tests(fixture("helpful"), "alone.", "-j1")
        self.assertEqual(run.code, 0, run.out)
        self.assertEqual(re.findall(r"alone\.\w", run.out), ["alone.a", "alone.b", "alone.c"])

    def test_after_so_many_failures_no_more_are_started(self):
        run = self.run_tests(fixture("five"), "-j1", "--max-fail", "1", "--skip", "hanging")
        self.assertEqual(run.code, 1)
        self.assertIn("2 tests run: 1 passed, 1 failed, 2 not run", run.out)
        for name in ("crashing", "skipped"):
            self.assertEqual(run.verdict(name)[0], "skipped")
            self.assertEqual(run.case(name)[0].get("message"), "too many tests had failed")

    def test_the_time_of_the_run_is_over(self):
        words = (fixture("five"), "-j1", "--run-timeout", "300ms", "--timeout", "1m")
        run = self.run_tests(*words, "--skip", "failing")
        self.assertEqual(run.code, 12)
        self.assertIn("stopping: the run's time is over", run.err)
        self.assertIn("1 test run: 1 passed, 3 not run", run.out)
        self.assertIn("ended by bridge-test", run.case("hanging")[0].get("message"))
        self.assertEqual(run.case("crashing")[0].get("message"), "the run's time was over")
        self.assertLess(run.seconds, 10)

    def test_the_time_of_the_run_is_over_while_listing(self):
        self.environment["FIXTURE_LISTING"] = "hang"
        run = self.run_tests(fixture("liar"), "--run-timeout", "200ms")
        self.assertEqual(run.code, 12)
        self.assertNotIn("there are no tests", run.err)
        self.assertEqual(run.report.get("tests"), "0")


if __name__ == "__main__":
    unittest.main()
