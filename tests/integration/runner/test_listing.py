# SPDX-License-Identifier: Apache-2.0
"""Every way in which a binary can fail to list its tests, and what is said about it."""

import json
import os
import unittest

from driver import RunnerTest, fixture

# $FIXTURE_LISTING of fixtures/liar.cpp: exit code, parts of what is said
LIES = {
    "crash": (10, ["it crashed while listing its tests: signal 11 (SIGSEGV)"]),
    "hang": (10, ["did not list its tests within 300ms", "--list-timeout gives it more time"]),
    "babble": (10, ["more than 64 MiB", "it is not a test binary"]),
    "exit": (10, ["exit code 3; it said:", "no such option: --list"]),
    "garbage": (10, ["not one JSON object", "Hello, \\xffworld!"]),
    "cut": (10, ["not one JSON object"]),
    "twice": (10, ['has test "s.a" twice: at a.cpp:3 and at a.cpp:3']),
    "version": (10, ["another version of the protocol"]),
    "none": (5, ["there are no tests: searched 0 tests in 1 binaries"]),
    "": (10, ["it printed nothing", "link it to bridge::harness_main"]),
}


def time_for(lie):
    """Only the one that hangs is given too little: a busy machine does not lie."""
    return "300ms" if lie == "hang" else "30s"


class Lies(RunnerTest):
    def test_each_is_told(self):
        for lie, (code, texts) in LIES.items():
            with self.subTest(lie):
                self.environment["FIXTURE_LISTING"] = lie
                run = self.run_tests(fixture("liar"), "--list-timeout", time_for(lie))
                self.assertEqual(run.code, code, run.err)
                for text in texts:
                    self.assertIn(text, run.err)
                self.assertLess(run.seconds, 20)
                errors = [one.get("type") for one in run.report.iter("error")]
                self.assertEqual(errors, ["listing"] if code == 10 else [])

    def test_the_verb_list_says_the_same(self):
        for lie, (code, texts) in LIES.items():
            with self.subTest(lie):
                self.environment["FIXTURE_LISTING"] = lie
                words = ("list", fixture("liar"), "--list-timeout", time_for(lie))
                run = self.run_tests(*words, junit=False)
                self.assertEqual(run.code, code, run.err)
                for text in texts:
                    self.assertIn(text, run.err)

    def test_a_babbler_is_ended_at_once(self):
        self.environment["FIXTURE_LISTING"] = "babble"
        self.assertLess(self.run_tests(fixture("liar")).seconds, 20)  # not the 60 s it would have

    def test_the_others_still_run(self):
        self.environment["FIXTURE_LISTING"] = "crash"
        run = self.run_tests(fixture("liar"), fixture("five"), "--exact", "five.passing")
        self.assertEqual(run.code, 10)
        self.assertIn("1 test run: 1 passed, 1 binary not listed", run.out)
        self.assertEqual(run.verdict("passing"), ("passed", None))


class NoTestBinaries(RunnerTest):
    def check(self, path, *texts):
        run = self.run_tests(path)
        self.assertEqual(run.code, 10, run.err)
        self.assertIn(path, run.err)
        for text in texts:
            self.assertIn(text, run.err)
        self.assertIn("binary not listed", run.out)

    def file(self, content, mode):
        path = os.path.join(self.folder, "file")
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def test_a_program_that_says_nothing(self):
        self.check("/bin/true", "it is not a test binary", "link it to bridge::harness_main")

    def test_a_program_that_knows_no_such_option(self):
        self.check("/bin/cat", "exit code 1; it said:")

    def test_a_missing_file(self):
        self.check("./none/such", "there is no such file; check the path, or build it first")

    def test_a_text_file(self):
        self.check(self.file("hello\n", 0o755), "it is not a program of this machine, and a script "
                                                "begins with a line such as #!/bin/sh")

    def test_a_script_of_an_interpreter_that_is_not_there(self):
        self.check(self.file("#! /none/python3 -B\n", 0o755),
                   "its #! line names an interpreter that is not there: /none/python3\n")

    def test_a_link_to_itself(self):
        path = os.path.join(self.folder, "loop")
        os.symlink("loop", path)
        self.check(path, "it cannot be looked at: Too many levels of symbolic links")

    def test_a_file_that_is_not_executable(self):
        self.check(self.file("#!/bin/sh\n", 0o644), "is it a program, and executable?")

    def test_a_folder_without_manifest(self):
        self.check(self.folder, "has no bridge-test-manifest.json", "name a build folder")

    def test_a_working_directory_that_is_gone(self):
        binary = {"path": fixture("five"), "working_directory": "/none/such"}
        with open(os.path.join(self.folder, "bridge-test-manifest.json"), "w") as file:
            json.dump({"bridge_manifest": 1, "binaries": [binary]}, file)
        run = self.run_tests()
        self.assertEqual(run.code, 10)
        self.assertIn("its working directory /none/such cannot be entered: No such", run.err)


class Listing(RunnerTest):
    def list(self, *words, **options):
        return self.run_tests("list", *words, junit=False, **options)

    def test_for_people(self):
        run = self.list(fixture("five"))
        self.assertEqual((run.code, run.err), (0, ""))
        self.assertEqual(run.out.splitlines()[0], f"five ({fixture('five')}):")
        self.assertIn("    five.passing  [quick, good]\n", run.out)

    def test_an_id_is_one_line(self):
        path = os.path.join(self.folder, "odd")
        test = {"id": "s.a\n::b\tc", "suite": "s", "name": "a", "kind": "sync", "tags": ["d\ne"]}
        with open(path, "w", encoding="utf-8") as file:
            listing = json.dumps({"bridge_protocol": 1, "binary": "odd", "tests": [test]})
            file.write(f"#!/bin/sh\ncat << 'END'\n{listing}\nEND\n")
        os.chmod(path, 0o755)
        run = self.run_tests("list", path, junit=False)
        self.assertEqual(run.out.splitlines()[1:], [r"    s.a\n::b\tc  [d\ne]"])
        run = self.run_tests(path)
        self.assertRegex(run.out, r"(?m)^ *CRASH \[ *\d+\.\d{3}s\] s\.a\\n::b\\tc: its process ended")

    def test_for_programs(self):
        run = self.list(fixture("five"), fixture("helpful"), "--format", "json", "--tag", "quick")
        self.assertEqual((run.code, run.err), (0, ""))
        answer = json.loads(run.out)
        self.assertEqual(answer["bridge_test_list"], 1)
        (binary,) = answer["binaries"]
        self.assertEqual(binary["path"], os.path.realpath(fixture("five")))
        self.assertEqual([one["id"] for one in binary["tests"]], ["five.passing", "five.failing"])

    def test_that_nobody_can_read(self):
        with open("/dev/full", "w") as full:
            run = self.list(fixture("five"), stdout=full)
        self.assertEqual(run.code, 14)
        self.assertIn("could not be written to stdout", run.err)


if __name__ == "__main__":
    unittest.main()
