# SPDX-License-Identifier: Apache-2.0
"""Filter expressions, globs and what is remembered from one run to the next."""

import fcntl
import json
import os
import re
import subprocess
import unittest

from driver import RunnerTest, fixture

FIVE = {f"five.{name}" for name in ("passing", "failing", "hanging", "crashing", "skipped")}
BAD = {"five.failing", "five.hanging", "five.crashing"}


class Filters(RunnerTest):
    def check(self, words, names, code=0):
        run = self.run_tests("list", fixture("five"), *words, junit=False)
        self.assertEqual(set(re.findall(r"(?m)^    (\S+)", run.out)), {f"five.{n}" for n in names})
        self.assertEqual(run.code, code, run.err)
        return run

    def test_globs_and_keys(self):
        self.check(["*.p*"], ["passing"])
        self.check(["tag:quick"], ["passing", "failing"])
        self.check(["tag:quick", "name:skip*"], ["passing", "failing", "skipped"])
        self.check(["--skip", "*ing"], ["skipped"])
        self.check(["binary:five"], [id.split(".")[1] for id in FIVE])

    def test_expressions(self):
        self.check(["-E", "tag:quick and not name:passing"], ["failing"])
        self.check(["--filter", "(hang or crash) and five.*"], ["hanging", "crashing"])
        self.check(["ing", "-E", "tag:quick", "-E", "hang"], ["passing", "failing", "hanging"])

    def test_a_wrong_expression_is_refused_before_anything_is_started(self):
        run = self.run_tests("list", "/none/such", "-E", "tag:net and or slow", junit=False)
        self.assertEqual((run.code, run.out), (4, ""))
        expected = (
            "bridge-test: --filter: a condition is missing before this\n"
            "  tag:net and or slow\n"
            "              ^\n"
        )
        self.assertEqual(run.err, expected)

    def test_a_status_that_is_none_is_refused_however_it_is_said(self):
        for words, what in ((["status:bogus"], "filter 'status:bogus'"),
                            (["--skip", "status:bogus"], "--skip 'status:bogus'"),
                            (["-E", "status:bogus"], "--filter")):
            run = self.run_tests("list", fixture("five"), *words, junit=False)
            self.assertEqual((run.code, run.out), (4, ""))
            self.assertIn(f"bridge-test: {what}: there is no status 'bogus'; one is passed, ", run.err)

    def test_an_expression_that_fits_nothing(self):
        run = self.check(["-E", "tag:none"], [], code=5)
        self.assertIn("no test fits --filter 'tag:none': searched 5 tests", run.err)


class Memory(RunnerTest):
    def run_five(self, *words, **options):
        return self.run_tests(fixture("five"), "--grace", "100ms", *words, **options)

    def listed(self, *words):
        run = self.run_tests("list", fixture("five"), *words, junit=False)
        return set(re.findall(r"(?m)^    (\S+)", run.out))

    def test_the_failed_run_again(self):
        self.run_five()
        for name in ("--failed", "--last-failed"):
            self.assertEqual(self.listed(name), BAD)
        run = self.run_five("--failed")
        self.assertIn("3 tests run: 1 failed, 1 timed out, 1 crashed", run.out)

    def test_only_the_last_verdict_counts_and_others_stay(self):
        self.run_five("passing", "failing")
        self.run_five("crashing")
        self.assertEqual(self.listed("--failed"), {"five.failing", "five.crashing"})
        self.assertEqual(self.listed("-E", "status:new"), {"five.hanging", "five.skipped"})
        self.assertEqual(self.listed("-E", "status:passed"), {"five.passing"})

    def test_a_test_that_did_not_run_keeps_its_verdict(self):
        self.run_five("failing", "crashing")
        self.run_five("failing", "crashing", "-j1", "--max-fail", "1")
        self.assertEqual(self.listed("--failed"), {"five.failing", "five.crashing"})

    def test_nothing_failed(self):
        self.run_five("passing")
        run = self.run_five("--failed")
        self.assertEqual(run.code, 5)
        self.assertIn("no test failed when it last ran, as ", run.err)

    def test_a_damaged_file_is_told_and_replaced(self):
        self.run_five("failing")
        with open(self.state, "w", encoding="utf-8") as file:
            file.write('{"bridge_test_state":1,"tes')
        run = self.run_five("failing")
        self.assertEqual(run.code, 1)
        self.assertRegex(run.err, r"warning: \S+state.json: it is not what bridge-test wrote: .*; "
                                  r"earlier verdicts are not known\n")
        run = self.run_five("--failed")
        self.assertEqual((run.code, run.err), (1, ""))

    def test_it_is_beside_the_manifest(self):
        os.mkdir(os.path.join(self.folder, "build"))
        manifest = {"bridge_manifest": 1, "binaries": [fixture("five")]}
        with open(os.path.join(self.folder, "build/bridge-test-manifest.json"), "w") as file:
            json.dump(manifest, file)
        self.run_tests("failing")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "build/bridge-test-state.json")))
        self.assertFalse(os.path.exists(self.state))

    def test_without_a_manifest_it_is_in_the_cache_and_nothing_is_in_the_way(self):
        self.run_five("failing", junit=False)
        self.assertTrue(os.path.exists(self.state))
        self.assertEqual(os.listdir(self.folder), [".cache"])
        self.assertEqual(self.listed("--failed"), {"five.failing"})

    def test_without_a_cache_nothing_is_remembered(self):
        del self.environment["XDG_CACHE_HOME"]
        self.environment.pop("HOME", None)
        run = self.run_five("failing", junit=False)
        self.assertEqual((run.code, run.err, os.listdir(self.folder)), (1, "", []))
        run = self.run_five("--failed")
        self.assertEqual(run.code, 5)
        self.assertIn("no verdicts are remembered: there is no manifest, and neither", run.err)

    def test_a_cache_that_cannot_be_written_is_none(self):
        self.environment["XDG_CACHE_HOME"] = "/proc/none"
        run = self.run_five("failing")
        self.assertEqual((run.code, run.err), (1, ""))

    def test_another_file_or_none(self):
        self.run_five("failing", "--state", "mine.json")
        self.assertEqual(self.listed("--failed", "--state", "mine.json"), {"five.failing"})
        run = self.run_five("failing", "--state", "/dev/null")
        self.assertEqual((run.code, run.err), (1, ""))
        self.assertFalse(os.path.exists(self.state))

    def test_what_is_no_file_is_refused(self):
        fifo = os.path.join(self.folder, "pipe")
        os.mkfifo(fifo)
        for place, why in ((self.folder, "it is a folder"), (fifo, "it is not a regular file")):
            for verb in ("run", "list"):
                with self.subTest(place=place, verb=verb):
                    run = self.run_tests(verb, fixture("five"), "--state", place, junit=False)
                    self.assertEqual((run.code, run.out), (4, ""), run.err)
                    message = f"bridge-test: --state {place}: {why}; name a file, or /dev/null to"
                    self.assertIn(message, run.err)

    def test_what_cannot_be_read_is_told(self):
        os.symlink("loop", os.path.join(self.folder, "bridge-test-state.json"))
        os.symlink("bridge-test-state.json", os.path.join(self.folder, "loop"))
        with open(os.path.join(self.folder, "bridge-test-manifest.json"), "w") as file:
            json.dump({"bridge_manifest": 1, "binaries": [fixture("five")]}, file)
        run = self.run_tests("passing")
        self.assertEqual(run.code, 0)
        self.assertRegex(run.err, r"warning: \S+: it cannot be read: Too many levels of symbolic "
                                  r"links; earlier verdicts are not known\n")
        self.assertIn("this run is not remembered", run.err)

    def test_who_else_writes_is_waited_for(self):
        folder = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        self.run_five("failing", "--state", "mine.json")
        with open(os.path.join(self.folder, "mine.json"), encoding="utf-8") as file:
            others = json.load(file)
        (other,) = others["tests"]
        other["id"] = "five.crashing"
        fcntl.flock(folder, fcntl.LOCK_EX)
        process = self.start(fixture("five"), "passing", "--state", "mine.json", junit=False)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(1)
        with open(os.path.join(self.folder, "mine.json"), "w", encoding="utf-8") as file:
            json.dump(others, file)
        fcntl.flock(folder, fcntl.LOCK_UN)
        run = self.finish(process)
        self.assertEqual((run.code, run.err), (0, ""))
        self.assertEqual(self.listed("-E", "not status:new", "--state", "mine.json"),
                         {"five.passing", "five.crashing"})

    def test_a_place_that_cannot_be_written_changes_nothing(self):
        run = self.run_five("passing", "--state", "none/such.json")
        self.assertEqual(run.code, 0)
        self.assertIn("warning: none/such.json", run.err)
        self.assertIn("this run is not remembered", run.err)


if __name__ == "__main__":
    unittest.main()
