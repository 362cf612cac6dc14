# SPDX-License-Identifier: Apache-2.0
"""A project of CMake's with test binaries, configured and run by CTest."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree

from driver import BOUND, FIXTURES, RunnerTest

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
