# SPDX-License-Identifier: Apache-2.0
"""bridge_discover_tests: what CTest makes of a binary, and that it agrees with bridge-test."""

import json
import os
import re
import shutil
import subprocess
import time
import unittest
import xml.etree.ElementTree

from driver import BOUND, FIXTURES, RunnerTest, fixture

CMAKE = os.environ["BRIDGE_TEST_CMAKE"]
CTEST = os.environ["BRIDGE_TEST_CTEST"]
MODULE = os.environ["BRIDGE_TEST_MODULE"]
GENERATOR = os.environ["BRIDGE_TEST_GENERATOR"]

PROJECT = f"""
cmake_minimum_required(VERSION 3.25)
project(fixtures LANGUAGES NONE)
enable_testing()
include([==[{MODULE}]==])
function(fixture name)
  add_executable(${{name}} IMPORTED GLOBAL)
  set_target_properties(${{name}} PROPERTIES IMPORTED_LOCATION "{FIXTURES}/${{name}}")
endfunction()
"""

# CTest sees the exit code alone. These say 0 with it and something else with their events, which
# a program linked to the harness cannot do.
TWO_FACED = {
    "exits_without_verdict",
    "babbles_events",
    "speaks_for_another",
    "says_half_a_line",
    "fails_but_exits_0",
    "closes_everything",
}

# CTest starts tests in its own process group, and waits for who holds a test's output.
NOT_FOR_CTEST = {"kills_its_group", "leaves_grandchild"}


class CTestTest(RunnerTest):
    def setUp(self):
        super().setUp()
        self.source = os.path.join(self.folder, "source")
        self.build = os.path.join(self.folder, "build")
        os.mkdir(self.source)

    def call(self, *command, cwd=None, bound=BOUND):
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=bound,
            text=True,
            errors="replace",
        )

    def configure(self, text, *arguments, head=PROJECT):
        with open(os.path.join(self.source, "CMakeLists.txt"), "w") as file:
            file.write(head + text)
        words = (CMAKE, "-S", self.source, "-B", self.build, "-G", GENERATOR, *arguments)
        return self.call(*words)

    def configured(self, text, *arguments, **options):
        done = self.configure(text, *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stdout)

    def entries(self):
        """name -> (command, properties), as ctest shows them."""
        done = self.call(CTEST, "--test-dir", self.build, "--show-only=json-v1")
        self.assertEqual(done.returncode, 0, done.stdout)
        shown = json.loads(done.stdout[done.stdout.index("{") :])
        return {
            test["name"]: (
                test.get("command"),
                {one["name"]: one["value"] for one in test["properties"]},
            )
            for test in shown["tests"]
        }

    def ctest(self, *words, bound=BOUND):
        """(exit code, name -> "run", "fail", "notrun" or "skipped", everything it wrote)"""
        report = os.path.join(self.folder, "ctest.xml")
        done = self.call(CTEST, "--test-dir", self.build, "--output-junit", report, *words,
                         bound=bound)
        root = xml.etree.ElementTree.parse(report).getroot()
        verdicts = {}
        for case in root.iter("testcase"):
            skipped = case.find("skipped")
            is_skip = skipped is not None and "SKIP_RETURN_CODE" in skipped.get("message", "")
            verdicts[case.get("name")] = "skipped" if is_skip else case.get("status")
        return done.returncode, verdicts, done.stdout


    def said_by(self, number, text):
        """What the test of this number wrote under `ctest -V`, without its line ends."""
        return " ".join(" ".join(re.findall(rf"(?m)^{number}: (.*)$", text)).split())


class Agreement(CTestTest):
    AS_CTEST_SAYS = {"passed": "run", "failure": "fail", "error": "fail", "skipped": "skipped"}

    def test_both_agree_on_every_verdict(self):
        self.configured(
            "fixture(five)\nbridge_discover_tests(five)\n"
            "fixture(broken)\nbridge_discover_tests(broken)\n"
        )
        run = self.run_tests(self.build, "-j8")
        expected = {
            f"{case.get('classname')}.{case.get('name')}".replace(".", "\0", 1):
            self.AS_CTEST_SAYS[run.verdict(case.get("name"))[0]]
            for case in run.report.iter("testcase")
        }
        expected = {name.replace("\0", "."): verdict for name, verdict in expected.items()}
        code, verdicts, text = self.ctest("-j8", "-E", "|".join(NOT_FOR_CTEST))
        self.assertEqual(code, 8, text)
        for name in NOT_FOR_CTEST:
            del expected[f"broken.broken.{name}"]
        for name in TWO_FACED:
            self.assertEqual(verdicts.pop(f"broken.broken.{name}"), "run")
            self.assertEqual(expected.pop(f"broken.broken.{name}"), "fail")
        self.assertEqual(verdicts, expected)


class Entries(CTestTest):
    def test_an_entry_has_all_that_the_test_has(self):
        self.configured(
            "fixture(five)\n"
            "bridge_discover_tests(five TEST_PREFIX my. LABELS a b ENVIRONMENT X=1 \"Y=a b\"\n"
            "  WORKING_DIRECTORY /tmp PROPERTIES COST 7)\n"
        )
        command, properties = self.entries()["my.five.five.passing"]
        self.assertEqual(command, [fixture("five"), "--run-exact", "five.passing"])
        self.assertEqual(properties["LABELS"], ["a", "b", "good", "quick"])
        self.assertEqual(properties["TIMEOUT"], 12.0)
        self.assertEqual(properties["SKIP_RETURN_CODE"], 77)
        self.assertEqual(properties["WORKING_DIRECTORY"], "/tmp")
        self.assertEqual(properties["COST"], 7)
        environment = properties["ENVIRONMENT"]
        for setting in ("X=1", "Y=a b", "BRIDGE_TEST=1", "BRIDGE_TEST_ID=five.passing",
                        f"BRIDGE_TEST_BINARY={fixture('five')}"):
            self.assertIn(setting, environment)
        # Not among the properties that this CTest shows.
        with open(os.path.join(self.build, "five_discovery_1-", "tests.cmake")) as file:
            self.assertIn('DEF_SOURCE_LINE "fixture.cpp:7"', file.read())

    def test_python_modules_are_importable(self):
        os.mkdir(os.path.join(self.source, "pure [1]"))
        module = "add_library({0} MODULE IMPORTED)\nset_target_properties({0} PROPERTIES {1})\n"
        self.configured(
            "fixture(five)\n"
            + module.format("native", 'IMPORTED_LOCATION "/some where/native.so"')
            + module.format("packaged", 'IMPORTED_LOCATION /lib/p/_native.so BRIDGE_PYTHON_FOLDER /lib')
            + 'bridge_discover_tests(five PYTHON_MODULES native packaged "pure [1]" ENVIRONMENT PYTHONPATH=/more X=1)\n'
        )
        wanted = f"PYTHONPATH=/some where:/lib:{self.source}/pure [1]:/more"
        self.assertIn(wanted, self.entries()["five.five.passing"][1]["ENVIRONMENT"])
        with open(os.path.join(self.build, "bridge-test-manifest.json")) as file:
            self.assertEqual(json.load(file)["binaries"][0]["environment"], ["X=1", wanted])

    def test_groups_are_locks_and_serial_tests_run_alone(self):
        self.configured(
            "fixture(orderly)\nbridge_discover_tests(orderly)\n"
            "bridge_discover_tests(orderly TEST_PREFIX more/ PROPERTIES RESOURCE_LOCK disk COST 3)\n"
        )
        entries = {name: properties for name, (_, properties) in self.entries().items()}
        (group,) = entries["orderly.group.a"]["RESOURCE_LOCK"]
        self.assertEqual(sorted(entries["more/orderly.group.a"]["RESOURCE_LOCK"]),
                         sorted(["disk", group]))
        self.assertEqual(entries["more/orderly.group.a"]["COST"], 3)
        self.assertEqual(entries["more/orderly.free.a"]["RESOURCE_LOCK"], ["disk"])
        self.assertNotIn("RESOURCE_LOCK", entries["orderly.free.a"])
        self.assertTrue(entries["orderly.serial.a"]["RUN_SERIAL"])
        self.assertNotIn("RUN_SERIAL", entries["orderly.free.a"])

    def test_a_name_with_spaces_is_a_name(self):
        self.configured("fixture(helpful)\nbridge_discover_tests(helpful)\n")
        code, verdicts, text = self.ctest("-R", "prints a name")
        self.assertEqual(code, 0, text)
        self.assertEqual(verdicts, {"helpful.mark.prints a name with spaces": "run"})

    def test_a_time_out_holds_for_both(self):
        self.configured("fixture(helpful)\nbridge_discover_tests(helpful TIMEOUT 9)\n")
        command, properties = self.entries()["helpful.look.timeout"]
        self.assertEqual(command[-2:], ["--timeout", "9s"])
        self.assertEqual(properties["TIMEOUT"], 11.0)
        self.configured("fixture(five)\nbridge_discover_tests(five TIMEOUT 1)\n")
        run = self.run_tests("--exact", "five.hanging", "--grace", "1ms", self.build)
        self.assertIn("no result after 1001ms", run.out)

    def environments(self, call):
        """What both give to a test: the variables X_..., and its folder."""
        log = os.path.join(self.folder, "seen")
        listing = {"bridge_protocol": 1, "binary": "odd", "tests": [
            {"id": "s.a[", "suite": "s", "name": "a[", "kind": "sync", "group": "g"}]}
        path = os.path.join(self.folder, "odd")
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n[ \"$1\" != --list ] || exec echo '{json.dumps(listing)}'\n"
                       f"pwd >{log}\nexec /usr/bin/env -0 >>{log}\n")
        os.chmod(path, 0o755)
        self.configured(
            f"add_executable(odd IMPORTED)\n"
            f"set_target_properties(odd PROPERTIES IMPORTED_LOCATION [==[{path}]==])\n{call}\n"
        )
        for run in (lambda: self.ctest(), lambda: self.run_tests(self.build)):
            run()
            with open(log) as file:
                folder, text = file.read().split("\n", 1)
            os.remove(log)
            yield folder, {one for one in text.split("\0") if one.startswith("X_")}

    def test_an_environment_in_each_of_ctests_own_forms(self):
        for call, variables in {
            'ENVIRONMENT X_A=1 "X_B=2 3" X_C=': {"X_A=1", "X_B=2 3", "X_C="},
            'ENVIRONMENT "X_A=1;X_B=2"': {"X_A=1", "X_B=2"},
            'PROPERTIES ENVIRONMENT "X_A=1;X_B=2" COST 7 LABELS "a;b"': {"X_A=1", "X_B=2"},
            'PROPERTIES ENVIRONMENT X_A=1 X_B=2 COST 7': {"X_A=1", "X_B=2"},
            'ENVIRONMENT X_A=1 PROPERTIES COST 7 ENVIRONMENT X_B=2': {"X_A=1", "X_B=2"},
            'ENVIRONMENT "X_A=a;b;c" X_B=2': {"X_A=a;b;c", "X_B=2"},
            'ENVIRONMENT "X_A=a=1\\\\;b=2"': {"X_A=a=1;b=2"},
            'ENVIRONMENT "X_A=a\\\\" X_B=2': {"X_A=a\\", "X_B=2"},
            'ENVIRONMENT "X_A=[;]" "X_B=[" X_C=3': {"X_A=[;]", "X_B=[", "X_C=3"},
            'ENVIRONMENT "X_A=$<TARGET_FILE_NAME:odd>" [[X_B=$HOME ${x} @y@ "q"]]':
                {"X_A=odd", 'X_B=$HOME ${x} @y@ "q"'},
        }.items():
            with self.subTest(call):
                for folder, seen in self.environments(f"bridge_discover_tests(odd {call})"):
                    self.assertEqual(seen, variables)
                    self.assertEqual(folder, self.build)

    def test_a_folder_by_a_generator_expression(self):
        call = "bridge_discover_tests(odd PROPERTIES WORKING_DIRECTORY $<TARGET_FILE_DIR:odd>)"
        self.assertEqual([folder for folder, _ in self.environments(call)], 2 * [self.folder])

    def test_properties_as_ctest_takes_them(self):
        self.configured(
            'fixture(five)\nbridge_discover_tests(five LABELS "x;y" z PROPERTIES RESOURCE_LOCK "one;two"\n'
            '  ENVIRONMENT "A=1;B=2" TIMEOUT 7 ENVIRONMENT_MODIFICATION "P=set:1;Q=set:2")\n'
        )
        command, properties = self.entries()["five.five.passing"]
        self.assertEqual(command[-2:], ["--timeout", "7s"])
        self.assertEqual(sorted(properties["RESOURCE_LOCK"]), ["one", "two"])
        self.assertEqual(properties["LABELS"], ["good", "quick", "x", "y", "z"])
        self.assertEqual(properties["ENVIRONMENT"][:2], ["A=1", "B=2"])
        self.assertEqual(properties["ENVIRONMENT_MODIFICATION"], ["P=set:1", "Q=set:2"])

    def test_an_emulator_lists_and_runs_under_both(self):
        log = os.path.join(self.folder, "log")
        emulator = os.path.join(self.folder, "emulator")
        with open(emulator, "w") as file:
            file.write(f'#!/bin/sh\necho "$1 $2" >>{log}\nshift\nexec "$@"\n')
        os.chmod(emulator, 0o755)
        for name in ("CROSSCOMPILING_EMULATOR", "TEST_LAUNCHER"):
            with self.subTest(name):
                self.configured(
                    f'fixture(five)\nset_property(TARGET five PROPERTY {name} "{emulator};-x")\n'
                    "bridge_discover_tests(five)\n"
                )
                code, verdicts, text = self.ctest("-R", "passing")
                self.assertEqual((code, verdicts), (0, {"five.five.passing": "run"}), text)
                for words in ([], ["--isolation", "none"]):
                    run = self.run_tests(self.build, "passing", *words, junit=not words)
                    self.assertEqual(run.code, 0, run.err)
                with open(log) as file:
                    seen = file.read().split("\n")
                self.assertEqual(set(seen[:-1]), {"-x " + fixture("five")})
                self.assertEqual(len(seen) - 1, 6)
                os.remove(log)
                os.remove(os.path.join(self.build, "five_discovery_1-", "tests.cmake"))

    def test_an_emulator_that_is_not_there_is_told_when_cmake_runs(self):
        done = self.configure(
            "fixture(five)\nset_property(TARGET five PROPERTY CROSSCOMPILING_EMULATOR no-such-emulator)\n"
            "bridge_discover_tests(five)\n"
        )
        self.assertIn("CROSSCOMPILING_EMULATOR names 'no-such-emulator', which is not there",
                      " ".join(done.stdout.split()))

    def test_odd_ids_and_tags(self):
        ids = ['a;b', 'a[b', 'b]a', '$HOME ${x} @y@', '"q" \\;', "tab\tnew\nline", "\u00e9\u20ac",
               "#x", "(p)", "</x>", ']==]']
        tests = [
            {"id": "s." + one, "suite": "s", "name": one, "kind": "sync", "tags": [one, "t"],
             "file": one, "line": 1}
            for one in ids
        ]
        for shape in ({}, {"indent": 1, "sort_keys": True}):  # as our writer does, and another
            listing = {"bridge_protocol": 1, "binary": "odd", "tests": tests}
            separators = None if shape else (",", ":")
            path = self.script(json.dumps(listing, separators=separators, **shape))
            self.configured(
                f"add_executable(odd IMPORTED)\n"
                f"set_target_properties(odd PROPERTIES IMPORTED_LOCATION [==[{path}]==])\n"
                f"bridge_discover_tests(odd)\n"
            )
            entries = self.entries()
            self.assertEqual(len(entries), len(ids))
            for (command, properties), one in zip(entries.values(), ids):
                self.assertEqual(command[-1], "s." + one)
                label = one.replace("[", "_").replace("]", "_")
                self.assertEqual(sorted(properties["LABELS"]), sorted([label, "t"]))
                self.assertIn("BRIDGE_TEST_ID=s." + one, properties["ENVIRONMENT"])
            self.assertIn("odd.s.\u00e9\u20ac", entries)

    def script(self, output):
        path = os.path.join(self.folder, "odd")
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\n")
        os.chmod(path, 0o755)
        return path

    def test_a_thousand_tests_are_listed_in_a_moment(self):
        tests = [
            {"id": f"s.{i}", "suite": "s", "name": str(i), "kind": "sync"} for i in range(1000)
        ]
        listing = {"bridge_protocol": 1, "binary": "odd", "tests": tests}
        path = self.script(json.dumps(listing, separators=(",", ":")))
        self.configured(
            f"add_executable(odd IMPORTED)\n"
            f"set_target_properties(odd PROPERTIES IMPORTED_LOCATION [==[{path}]==])\n"
            f"bridge_discover_tests(odd)\n"
        )
        started = time.monotonic()
        self.assertEqual(len(self.entries()), 1000)
        self.assertLess(time.monotonic() - started, 10)


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
