# SPDX-License-Identifier: Apache-2.0
"""The Python of a project: its environment and folders reach the interpreter inside of a test."""

import os
import subprocess
import sys
import unittest

from driver import RunnerTest, fixture
from test_corpus import BINARY
from ctest_driver import CTestTest

TEST = "ends.misses_a_module"  # passes where the module is


class PythonTest(RunnerTest):
    def environment_of(self, version=None):
        """A virtual environment that has the module; of another Python, if that is asked for."""
        place = os.path.join(self.folder, "venv")
        if not os.path.exists(place):
            command = [sys.executable, "-m", "venv", "--without-pip", place]
            subprocess.run(command, check=True, timeout=60)
        major, minor = sys.version_info[:2]
        self.write(f"{place}/lib/python{major}.{minor}/site-packages/no_such_module.py", "")
        if version:
            self.write(f"{place}/pyvenv.cfg", f"home = /usr/bin\nversion = {version}\n")
        return place

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def installation(self, name):
        """A second Python of our version, with the standard library and the module."""
        place = os.path.join(self.folder, name)
        version = "python%d.%d" % sys.version_info[:2]
        self.write(f"{place}/bin/python3", "", 0o755)
        for packages in (f"{version}/site-packages", "python3/dist-packages"):  # the latter is Debian's
            self.write(f"{place}/lib/{packages}/no_such_module.py", "")
        for one in os.scandir(os.path.dirname(os.__file__)):
            if one.name != "site-packages":
                os.symlink(one.path, f"{place}/lib/{version}/{one.name}")
        return place

    def run_one(self, *words):
        return self.run_tests(BINARY, "--exact", TEST, *words)


class Environment(PythonTest):
    def test_without_one_the_module_is_missed_in_words(self):
        run = self.run_one()
        self.assertEqual(run.code, 1)
        self.assertRegex(run.out, r"note: Python 3\.\d+\.\d+ of \S+ looked for the module in \[.*"
                                  r"VIRTUAL_ENV \(or bridge-test --python\) chooses an environment")

    def test_the_option_names_a_folder_or_its_python(self):
        place = self.environment_of()
        for path in (place, f"{place}/bin/python3", "venv"):
            with self.subTest(path):
                run = self.run_one("--python", path)
                self.assertEqual(run.code, 0, run.out)

    def test_an_active_environment_is_used_and_the_option_outranks_it(self):
        self.environment["VIRTUAL_ENV"] = self.environment_of()
        self.assertEqual(self.run_one().code, 0)
        self.environment["VIRTUAL_ENV"] = "/no/such/environment"
        self.assertEqual(self.run_one().code, 1)
        self.assertEqual(self.run_one("--python", self.environment_of()).code, 0)

    def test_a_folder_of_modules_is_used(self):
        self.write(os.path.join(self.folder, "no_such_module.py"), "")
        self.environment["PYTHONPATH"] = self.folder
        self.assertEqual(self.run_one().code, 0)

    def test_an_environment_of_another_python_is_refused_in_words(self):
        run = self.run_one("--python", self.environment_of(version="3.9.1"))
        self.assertEqual(run.code, 1)
        self.assertRegex(run.out, r"BRIDGE_TEST_PYTHON names \S+venv, an environment of Python 3\.9, but this program embeds "
                                  r"Python 3\.\d+; name one that python3\.\d+ has made, or unset BRIDGE_TEST_PYTHON")

    def test_the_python_that_is_first_on_path_is_not_asked(self):
        # Not even `encodings` could be imported from it.
        place = os.path.join(self.folder, "other")
        self.write(f"{place}/bin/python3", "#!/bin/sh\n", 0o755)
        self.write(f"{place}/lib/python%d.%d/os.py" % sys.version_info[:2], "")
        self.environment["PATH"] = f"{place}/bin:{self.environment['PATH']}"
        run = self.run_one()
        self.assertIn("No module named 'no_such_module'", run.out)

    def test_an_environment_of_ours_that_is_first_on_path_is_used(self):
        self.environment["PATH"] = f"{self.environment_of()}/bin:{self.environment['PATH']}"
        self.assertEqual(self.run_one().code, 0)

    def test_an_environment_of_another_python_that_is_first_on_path_is_not(self):
        place = self.environment_of()
        self.write(f"{place}/pyvenv.cfg", "home = /no/such/folder\n")
        self.environment["PATH"] = f"{place}/bin:{self.environment['PATH']}"
        self.assertEqual(self.run_one().code, 1)

    def test_the_option_names_another_python_of_the_version(self):
        place = self.installation("second")
        self.environment["VIRTUAL_ENV"] = "/no/such/environment"  # is outranked
        for path in (place, f"{place}/bin/python3", "second"):
            with self.subTest(path):
                run = self.run_one("--python", path)
                self.assertEqual(run.code, 0, run.out)
        self.environment["PATH"] = f"{place}/bin:{self.environment['PATH']}"
        self.assertEqual(self.run_one("--python", "python3").code, 0)
        self.environment["BRIDGE_TEST_PYTHON"] = place
        self.assertEqual(self.run_one().code, 0)

    def test_a_python_of_another_version_is_refused_in_words(self):
        place = self.installation("second")
        os.rename(f"{place}/lib", f"{place}/no_lib")
        run = self.run_one("--python", place)
        self.assertEqual(run.code, 1)
        self.assertRegex(run.out, r"BRIDGE_TEST_PYTHON names \S+second/bin/python3, beside which there is "
                                  r"no lib/python3\.\d+, but this program embeds Python 3\.\d+; name a "
                                  r"python3\.\d+ itself, not a script that starts it")

    def test_what_is_no_python_is_refused_before_the_run(self):
        for path, message in (
            ("/no/such/python", "--python: '/no/such/python' does not exist"),
            ("no-such-python", "--python: 'no-such-python' does not exist"),
            (self.folder, "is no Python: there is neither "),
        ):
            run = self.run_one("--python", path)
            self.assertEqual((run.code, run.out), (4, ""))
            self.assertIn(message, run.err)


class UnderCTest(CTestTest, PythonTest):
    def test_the_environment_reaches_the_tests(self):
        place = self.environment_of()
        self.configured(
            "add_executable(corpus IMPORTED GLOBAL)\n"
            f'set_target_properties(corpus PROPERTIES IMPORTED_LOCATION "{BINARY}")\n'
            f"bridge_discover_tests(corpus ENVIRONMENT VIRTUAL_ENV={place})\n"
            "bridge_discover_tests(corpus TEST_PREFIX plain/)\n"
            f"bridge_discover_tests(corpus TEST_PREFIX second/ ENVIRONMENT BRIDGE_TEST_PYTHON={self.installation('second')})\n"
        )
        code, verdicts, text = self.ctest("-R", TEST)
        self.assertEqual(verdicts, {f"corpus.{TEST}": "run", f"plain/corpus.{TEST}": "fail",
                                    f"second/corpus.{TEST}": "run"}, text)
        run = self.run_tests(self.build, "--exact", TEST)  # by the manifest
        self.assertEqual(run.code, 0, run.out)
        # The option outranks the manifest, which has another environment.
        run = self.run_tests(self.build, "--exact", TEST, "--python", self.environment_of("3.9.1"))
        self.assertEqual(run.code, 1, run.out)


if __name__ == "__main__":
    unittest.main()
