# SPDX-License-Identifier: Apache-2.0
"""When bridge_discover_tests looks into a binary, and what it says if it cannot."""

import json
import os
import shutil
import time
import unittest

from ctest_driver import CMAKE, GENERATOR, PROJECT, CTestTest
from driver import fixture


class Discovery(CTestTest):
    def test_a_binary_that_is_not_built(self):
        self.configured("fixture(none)\nbridge_discover_tests(none)\n")
        code, verdicts, text = self.ctest()
        self.assertEqual(code, 8, text)
        self.assertEqual(list(verdicts), ["none_NOT_BUILT"])
        self.assertNotEqual(verdicts["none_NOT_BUILT"], "run")

    def test_a_binary_that_cannot_be_listed_is_one_failure_that_says_why(self):
        lies = {
            "crash": "it did not list its tests: Segmentation fault",
            "exit": "it did not list its tests: exit code 3 no such option: --list",
            "garbage": "it is not a test binary",
            "noise": "something else wrote to its standard output before the listing: a library's words",
            "version": "it speaks version '2'",
            "twice": "it has test 's.a' twice",
            "hang": "it did not list its tests: Process terminated due to timeout",
        }
        self.configured(
            "fixture(liar)\nbridge_discover_tests(liar DISCOVERY_TIMEOUT 1)\n"
            "fixture(five)\nbridge_discover_tests(five)\n"
        )
        for lie, reason in lies.items():
            with self.subTest(lie):
                self.environment["FIXTURE_LISTING"] = lie
                code, verdicts, text = self.ctest("-V", "-R", "liar|passing")
                self.assertEqual(code, 8, text)
                expected = {"liar_NOT_LISTED": "fail", "five.five.passing": "run"}
                self.assertEqual(verdicts, expected)
                self.assertIn(reason, self.said_by(1, text))

    def test_the_environment_counts_for_the_listing_and_for_nobody_else(self):
        self.configured(
            "fixture(liar)\nbridge_discover_tests(liar TEST_PREFIX a. ENVIRONMENT\n"
            "  FIXTURE_LISTING=exit)\nbridge_discover_tests(liar TEST_PREFIX b.)\n"
        )
        code, verdicts, text = self.ctest("-V")
        self.assertEqual(verdicts, {f"{one}.liar_NOT_LISTED": "fail" for one in "ab"})
        self.assertIn("no such option: --list", self.said_by(1, text))
        self.assertIn("it is not a test binary", self.said_by(2, text))

    def test_a_binary_without_tests_has_no_entries(self):
        self.environment["FIXTURE_LISTING"] = "none"
        self.configured("fixture(liar)\nbridge_discover_tests(liar)\n")
        self.assertEqual(self.entries(), {})

    def test_a_mistake_in_the_call_is_told_when_cmake_runs(self):
        for call, reason in {
            "none": "there is no such target",
            "five COLOUR red": "unknown arguments: COLOUR;red",
            "five DISCOVERY_MODE LATER": "DISCOVERY_MODE is PRE_TEST or POST_BUILD, not LATER",
            "five TIMEOUT 5s": "TIMEOUT is a number of seconds, not '5s'",
            "five ENVIRONMENT PATH": "ENVIRONMENT takes NAME=value, not 'PATH'",
            "five ENVIRONMENT [=[A=a\\]=] [=[B=[]=]": "CTest takes but one variable that ends in a",
            "five PYTHON_MODULES nowhere": "PYTHON_MODULES: 'nowhere' is neither a target nor a folder",
            "five PROPERTIES COST": "COST has no value",
            "five TIMEOUT": "TIMEOUT has no value",
        }.items():
            with self.subTest(call):
                done = self.configure(f"fixture(five)\nbridge_discover_tests({call})\n")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(reason, " ".join(done.stdout.split()))

    def test_a_listing_is_kept_until_the_binary_is_newer(self):
        log = os.path.join(self.folder, "log")
        path = os.path.join(self.folder, "b")
        with open(path, "w") as file:
            file.write(f'#!/bin/sh\necho x >> {log}\nexec {fixture("five")} "$@"\n')
        os.chmod(path, 0o755)
        self.configured(
            f"add_executable(b IMPORTED)\n"
            f"set_target_properties(b PROPERTIES IMPORTED_LOCATION [==[{path}]==])\n"
            f"bridge_discover_tests(b)\n"
        )
        for _ in range(3):
            self.assertEqual(len(self.entries()), 5)
        self.assertEqual(os.path.getsize(log), 2)
        future = time.time() + 5
        os.utime(path, (future, future))
        self.entries()
        self.assertEqual(os.path.getsize(log), 4)


class Built(CTestTest):
    """With a binary that the nested project builds itself."""

    HEAD = PROJECT.replace("LANGUAGES NONE", "LANGUAGES CXX")

    def project(self, mode):
        source = os.path.join(os.path.dirname(__file__), "fixtures", "five.cpp")
        return (
            f"add_executable(five [==[{os.path.abspath(source)}]==])\n"
            f"target_compile_features(five PRIVATE cxx_std_20)\n"
            f"bridge_discover_tests(five DISCOVERY_MODE {mode})\n"
        )

    def build_all(self, *words):
        done = self.call(CMAKE, "--build", self.build, *words)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_discovery_by_the_build(self):
        self.configured(self.project("POST_BUILD"), "-DCMAKE_BUILD_TYPE=Debug", head=self.HEAD)
        self.assertEqual(list(self.entries()), ["five_NOT_BUILT"])
        self.build_all()
        self.assertEqual(len(self.entries()), 5)
        self.assertEqual(self.run_tests("passing").code, 0)

    def test_from_sources_alone(self):
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "five.cpp")
        head = self.HEAD + "add_library(bridge::harness_main INTERFACE IMPORTED)\n"
        text = (
            f"set(CMAKE_CXX_STANDARD 20)\n"
            f"bridge_add_test(five [==[{source}]==] TIMEOUT 3 LABELS a b ENVIRONMENT X=1 Y=2)\n"
        )
        self.configured(text, head=head)
        self.build_all()
        command, properties = self.entries()["five.five.passing"]
        self.assertEqual(command[-2:], ["--timeout", "3s"])
        self.assertEqual(properties["LABELS"], ["a", "b", "good", "quick"])
        self.assertEqual(properties["ENVIRONMENT"][:2], ["X=1", "Y=2"])
        done = self.configure("bridge_add_test(none TIMEOUT 3)\n", head=head)
        self.assertIn("bridge_add_test(none): name its source files", done.stdout)

    def test_several_configurations_in_one_folder(self):
        if GENERATOR != "Ninja":
            self.skipTest("needs Ninja Multi-Config")
        self.configured(self.project("PRE_TEST"), "-G", "Ninja Multi-Config", head=self.HEAD)
        self.build_all("--config", "Release")
        code, verdicts, text = self.ctest("-C", "Release", "-R", "passing")
        self.assertEqual((code, verdicts), (0, {"five.five.passing": "run"}), text)
        run = self.run_tests(os.path.join(self.build, "Release"), "passing")
        self.assertEqual(run.code, 0, run.err)


class Moved(CTestTest):
    def test_a_build_folder_that_was_moved_still_runs(self):
        program = os.path.join(self.build, "tests", "five")
        self.configured(
            f"add_executable(five IMPORTED)\n"
            f"set_target_properties(five PROPERTIES IMPORTED_LOCATION [==[{program}]==])\n"
            f"bridge_discover_tests(five ENVIRONMENT X_A=$<TARGET_FILE_DIR:five>)\n"
        )
        os.mkdir(os.path.dirname(program))
        shutil.copy(fixture("five"), program)
        moved = os.path.join(self.folder, "moved")
        os.rename(self.build, moved)
        run = self.run_tests(moved, "passing")
        self.assertEqual(run.code, 0, run.err)


class Manifest(CTestTest):
    def test_it_names_every_binary_with_its_settings(self):
        place = os.path.realpath(self.folder)
        os.makedirs(os.path.join(self.source, "sub"))
        with open(os.path.join(self.source, "sub", "CMakeLists.txt"), "w") as file:
            file.write(
                "fixture(helpful)\nbridge_discover_tests(helpful ENVIRONMENT\n"
                f'  FIXTURE_FOLDER={place} "FIXTURE_SETTING=a=b c" "ODD=\\"q\\" \\\\"\n'
                f"  WORKING_DIRECTORY {place})\n"
            )
        self.configured("fixture(five)\nbridge_discover_tests(five)\nadd_subdirectory(sub)\n")
        with open(os.path.join(self.build, "bridge-test-manifest.json")) as file:
            five, helpful = json.load(file)["binaries"]
        self.assertEqual(five["path"], fixture("five"))
        self.assertEqual(five["working_directory"], self.build)
        self.assertEqual(helpful["environment"][2], 'ODD="q" \\')
        for words in ([], ["build"]):
            run = self.run_tests(*words, "--exact", "look.folder")
            self.assertEqual(run.code, 0, run.out + run.err)
        code, verdicts, text = self.ctest("-R", "look.folder")
        self.assertEqual((code, verdicts), (0, {"helpful.look.folder": "run"}), text)


if __name__ == "__main__":
    unittest.main()
