# SPDX-License-Identifier: Apache-2.0
"""bridge_discover_tests: what CTest makes of a binary, and that it agrees with bridge-test."""

import json
import os
import time
import unittest

from ctest_driver import MODULE, CTestTest
from driver import fixture

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


if __name__ == "__main__":
    unittest.main()
