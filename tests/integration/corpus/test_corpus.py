# SPDX-License-Identifier: Apache-2.0
"""Every broken test and program of the table, through bridge-test and through CTest."""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from driver import PROGRAM, Finished, RunnerTest, fixture
from table import FILES, LISTINGS, TESTS
from ctest_driver import CTestTest

CORPUS = os.environ["BRIDGE_TEST_CORPUS"]
BINARY = os.path.join(CORPUS, "corpus")

AT_ONCE = 4

# Seconds. No run here takes as long, on a busy machine and with sanitizers too.
DEADLINE = 120


def has_symbol(name):
    with open(BINARY, "rb") as file:
        return name in file.read()


# A sanitizer has a report of its own, in place of the harness's.
HAS_ASAN = has_symbol(b"__asan_init")
KNOWS_PLACES = shutil.which("addr2line") is not None and not (HAS_ASAN or has_symbol(b"__tsan_init"))


def text_of(case):
    """All that a testcase says beside its output."""
    return "\n".join(
        f"{one.get('message')}\n{one.text}" for one in case if one.tag != "system-out"
    )


class CorpusTest(RunnerTest):
    def run_one(self, test, *words, grace="3s"):
        """A run of its own, which may be beside others."""
        folder = tempfile.mkdtemp(dir=self.folder)
        begun = time.monotonic()
        done = subprocess.run(
            [PROGRAM, BINARY, "--exact", test, "-v", "--junit", "out.xml", "--grace", grace, *words],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
        )
        seconds = time.monotonic() - begun
        with open(os.path.join(folder, "out.xml"), "rb") as file:
            report = file.read()
        out, err = done.stdout.decode(), done.stderr.decode()
        return Finished(done.returncode, out, err, seconds, self.parse(report))

    def run_each(self, *words, tests=tuple(TESTS), **more):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(tests, pool.map(lambda test: self.run_one(test, *words, **more), tests)))

    ELEMENT = {
        "PASS": None,
        "SKIP": ("skipped", None),
        "TIMEOUT": ("error", "timeout"),
        "CRASH": ("error", "crash"),
    }

    def check(self, test, run):
        expected = TESTS[test]
        detail = f"{run.out[-3000:]}\n{run.err}"
        self.assertEqual(run.code, expected.code, detail)
        self.assertEqual(run.err, "")
        (case,) = run.report.iter("testcase")
        self.check_case(test, case, run.out)

    def check_case(self, test, case, out, *, in_batch=False):
        """What the report and the terminal say of one test."""
        expected = TESTS[test]
        if HAS_ASAN and expected.differs:
            return  # it has ended, and hides no other
        message = "" if in_batch and expected.leaves_processes else expected.message
        detail = out[-3000:]
        line = rf"^ *{expected.label} \[ *\d+\.\d{{3}}s\] {re.escape(test)}\b"
        shown = re.search(rf"(?ms){line}.*?(?=^ *[A-Z]+ \[|\Z)", out)
        self.assertTrue(shown, detail)
        verdict = [(one.tag, one.get("type")) for one in case if one.tag != "system-out"]
        if expected.label == "FAIL":
            self.assertEqual([tag for tag, _ in verdict], ["failure"], detail)
        else:
            element = self.ELEMENT[expected.label]
            self.assertEqual(verdict, [element] if element else [], detail)
        said = text_of(case) if verdict else shown[0]
        if expected.place and KNOWS_PLACES:
            message += f": {expected.place}"
        self.assertTrue(re.search(message, said), f"{message!r} in {said[:3000]}")
        if expected.details and KNOWS_PLACES:
            self.assertTrue(re.search(expected.details, said), f"{expected.details!r} in {said[:3000]}")
        output = getattr(case.find("system-out"), "text", "")
        self.assertTrue(re.search(expected.output, output), f"{expected.output!r} in {output[:3000]}")

    def check_all(self, run, tests=tuple(TESTS), *, in_batch=False):
        """A run of all these tests."""
        self.assertEqual(run.code, 1)
        cases = {f"{one.get('classname')}.{one.get('name')}": one for one in run.report.iter("testcase")}
        self.assertEqual(set(cases), {f"corpus.{test}" for test in tests})
        for test in tests:
            with self.subTest(test[:60]):
                self.check_case(test, cases[f"corpus.{test}"], run.out, in_batch=in_batch)


class Corpus(CorpusTest):
    def test_each_alone(self):
        for test, run in self.run_each().items():
            with self.subTest(test[:60]):
                self.check(test, run)

    def test_a_stop_is_told_with_its_signal(self):
        run = self.run_one("hangs.stops_itself")
        self.assertIn(": it had been stopped by signal 19 (SIGSTOP)", run.out)

    def test_loops_that_leave_nothing_are_named(self):
        run = self.run_tests(BINARY, "is_for_one_loop", "--loops", "asyncio")
        self.assertEqual(run.code, 5, run.out)
        self.assertIn("; --loops asyncio leaves out the tests that are for other loops", run.out + run.err)

    def test_the_table_is_complete(self):
        done = subprocess.run([BINARY, "--list", "--format", "json"], capture_output=True, timeout=60)
        listed = [test["id"] for test in json.loads(done.stdout)["tests"]]
        self.assertEqual(set(listed), set(TESTS))
        self.assertGreaterEqual(len(listed) + len(LISTINGS) + len(FILES), 40)

    def test_none_hides_another(self):
        self.check_all(self.run_tests(BINARY, "-j4", "-v", "--grace", "6s", bound=400))


class ListingChecks:
    words = ()  # further ones of each run

    def check(self, run, message, name):
        self.assertEqual(run.code, 10, run.err)
        self.assertIn("five.passing", run.out)  # the others still run
        (error,) = [one for one in run.report.iter("error") if one.get("type") == "listing"]
        self.assertRegex(error.text, message)
        self.assertRegex(run.err, message)
        self.assertIn(name, run.err)

    def test_each_answer(self):
        for how, message in LISTINGS.items():
            with self.subTest(how):
                self.environment["FIXTURE_LISTING"] = how
                limit = "500ms" if how == "hang" else "15s"
                words = (fixture("liar"), fixture("five"), "passing", "s.a", "--list-timeout", limit)
                self.check(self.run_tests(*words, *self.words), message, "liar")

    def test_each_file(self):
        for name, (content, message) in FILES.items():
            with self.subTest(name):
                path = os.path.join(self.folder, name)
                with open(path, "wb") as file:
                    file.write(content if isinstance(content, bytes) else content.encode())
                os.chmod(path, 0o755)
                self.check(self.run_tests(path, fixture("five"), "passing", *self.words), message, name)

    def test_two_tests_of_one_id(self):
        run = self.run_tests(os.path.join(CORPUS, "duplicates"), fixture("five"), "passing", *self.words)
        self.check(run, r"(?s)two tests have the id twice\.same.*rename one", "duplicates")


class Listings(ListingChecks, RunnerTest):
    pass


class Agreement(CTestTest):
    """CTest sees an exit code and no more, and must come to the same verdicts."""

    maxDiff = None
    AS_CTEST_SAYS = {"PASS": "run", "SKIP": "skipped"}

    def test_ctest_says_the_same_of_each(self):
        self.configured(
            f'add_executable(corpus IMPORTED GLOBAL)\n'
            f'set_target_properties(corpus PROPERTIES IMPORTED_LOCATION "{BINARY}")\n'
            "bridge_discover_tests(corpus)\n"
        )
        excluded = [re.escape(test) for test, case in TESTS.items() if not case.ctest]
        code, verdicts, text = self.ctest("-j4", "-E", "|".join(excluded), bound=400)
        self.assertEqual(code, 8, text[-3000:])
        expected = {
            f"corpus.{test}": self.AS_CTEST_SAYS.get(case.label, "fail")
            for test, case in TESTS.items()
            if case.ctest
        }
        self.assertEqual(verdicts, expected)


if __name__ == "__main__":
    unittest.main()
