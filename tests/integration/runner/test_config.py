# SPDX-License-Identifier: Apache-2.0
"""The configuration file: where it is found, what it changes, and what show-config says of it."""

import os
import re
import unittest

from driver import RunnerTest, fixture

FILE = """\
[profile.default]
jobs = 1
junit = "default.xml"

[profile.ci]
retries = 2

[[profile.ci.overrides]]
filter = "name:always_fails"
retries = 0

[[profile.default.overrides]]
filter = "suite:hang"
timeout = "50ms"
"""


class Config(RunnerTest):
    def setUp(self):
        super().setUp()
        self.environment["FIXTURE_LOG"] = os.path.join(self.folder, "log")

    def write(self, text, folder=""):
        os.makedirs(os.path.join(self.folder, folder), exist_ok=True)
        path = os.path.join(self.folder, folder, "bridge-test.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return os.path.realpath(path)

    def run_orderly(self, *words, **options):
        options.setdefault("junit", False)
        return self.run_tests(fixture("orderly"), *words, **options)

    def test_the_default_profile_counts_without_being_asked_for(self):
        self.write(FILE)
        run = self.run_orderly("always_passes")
        self.assertEqual(run.code, 0, run.err)
        self.assertIn("Running 1 test from 1 binary, 1 at a time", run.out)
        self.assertTrue(os.path.exists(os.path.join(self.folder, "default.xml")))

    def test_another_profile_adds_to_it_and_rules_outrank_it(self):
        self.write(FILE)
        run = self.run_orderly("passes_at_last", "always_fails", "--profile", "ci")
        self.assertIn("1 at a time", run.out)
        self.assertIn("try.passes_at_last (flaky: attempt 3)", run.out)
        self.assertNotRegex(run.out, "TRY .*always_fails")
        run = self.run_orderly("always_fails", "-P", "ci", "--retries", "1")
        self.assertRegex(run.out, "TRY 1 of 2: .*always_fails")

    def test_a_rule_changes_a_time_out(self):
        self.write(FILE)
        run = self.run_orderly("hang.", "--grace", "1ms", junit=True)
        self.assertIn("no result after 51ms", run.case("explains")[0].get("message"))

    def test_the_environment_outranks_the_file_and_is_outranked(self):
        self.write(FILE)
        self.environment["BRIDGE_TEST_JOBS"] = "3"
        self.assertIn("3 at a time", self.run_orderly("always_passes").out)
        self.assertIn("2 at a time", self.run_orderly("always_passes", "-j2").out)

    def test_it_is_found_above_and_named(self):
        path = self.write("[profile.default]\njobs = 7\n")
        os.mkdir(os.path.join(self.folder, "below"))
        run = self.run_tests("show-config", junit=False)
        self.assertIn(f"file: {path}\n", run.out)
        self.folder = os.path.join(self.folder, "below")
        self.assertIn(f"file: {path}\n", self.run_tests("show-config", junit=False).out)
        run = self.run_tests("show-config", "--config", "/dev/null", junit=False)
        self.assertIn("file: /dev/null\n", run.out)

    def test_show_config_says_where_each_value_comes_from(self):
        path = self.write(FILE)
        self.environment["BRIDGE_TEST_MAX_FAIL"] = "4"
        run = self.run_tests("show-config", "-P", "ci", "--slow", "1m", junit=False)
        self.assertEqual((run.code, run.err), (0, ""))
        self.assertIn("profile: ci\n", run.out)
        for line in (
            rf"jobs +1 +{path}:2 \[profile\.default\]",
            rf"retries +2 +{path}:6 \[profile\.ci\]",
            r"max-fail +4 +BRIDGE_TEST_MAX_FAIL",
            r"slow +60s +--slow",
            r"grace +2s +built in",
            r"timeout +- +built in",
        ):
            self.assertRegex(run.out, rf"(?m)^{line}$")
        rules = run.out.split("overrides, the first that fits a test counts:\n")[1]
        expected = (
            f"{path}:8: name:always_fails: retries 0\n"
            f"{path}:12: suite:hang: timeout 50ms\n"
        )
        self.assertEqual(rules, expected)

    def test_every_option_of_the_help_is_shown(self):
        flags = re.findall(r"(?m)^  .*?--([a-z-]+)", self.run_tests("help", junit=False).out)
        shown = re.findall(r"(?m)^([a-z-]+) +", self.run_tests("show-config", junit=False).out)
        missing = set(flags) - set(shown) - {"profile", "config", "help", "version"}
        self.assertEqual(missing, set())

    def test_the_line_that_runs_a_failure_again_has_what_it_needs(self):
        self.environment["BRIDGE_TEST_ISOLATION"] = "fork"
        path = self.write(FILE, "con fig")
        environment = os.path.join(self.folder, "venv")
        os.mkdir(environment)
        with open(os.path.join(environment, "pyvenv.cfg"), "w"):
            pass
        words = ("--config", path, "-P", "ci", "--python", environment)
        out = self.run_orderly("always_fails", *words).out
        line = re.search(r"again: (.*)\n", out)[1]
        self.assertTrue(line.endswith(
            f" --exact try.always_fails --config '{path}' --profile ci --isolation fork "
            f"--python {environment}"), line)
        del self.environment["BRIDGE_TEST_ISOLATION"]
        line = re.search(r"again: (.*)\n", self.run_orderly("always_fails").out)[1]
        self.assertTrue(line.endswith(" --exact try.always_fails"), line)

    def test_an_error_names_the_line_and_nothing_runs(self):
        path = self.write("[profile.default]\njobs = 1\nretrys = 2\n")
        for verb in ("run", "list", "show-config"):
            run = self.run_tests(verb, fixture("five"), junit=False)
            self.assertEqual((run.code, run.out), (4, ""))
            message = f"bridge-test: {path}:3: unknown key 'retrys'; did you mean 'retries'?\n"
            self.assertEqual(run.err, message)
        self.assertEqual(self.run_tests("help", junit=False).code, 0)

    def test_a_file_or_profile_that_is_not_there(self):
        run = self.run_orderly("--config", "none.toml")
        self.assertEqual(run.code, 4)
        self.assertIn("none.toml: this configuration file cannot be read", run.err)
        run = self.run_orderly("--profile", "nightly")
        self.assertEqual(run.code, 4)
        self.assertIn("there is no profile 'nightly'; without a bridge-test.toml there are", run.err)
        self.assertEqual(self.run_orderly("always_passes", "--profile", "ci").code, 0)


if __name__ == "__main__":
    unittest.main()
