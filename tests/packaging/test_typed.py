# SPDX-License-Identifier: Apache-2.0
"""bridge_stubs, and the stubs of bridge_asyncio: what mypy and pyright say to programs that use them."""

import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

from test_install import BUILD, HERE, PYTHON, SOURCE, call, run
from test_wheel import why_not

TYPED = HERE / "typed"
PACKAGE = pathlib.Path(SOURCE) / "bridge/python"


class Typed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bridge-typed-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run(PYTHON, "-m", "venv", str(cls.folder / "venv"))
        cls.python = str(cls.folder / "venv/bin/python")
        run("cmake", "--install", BUILD, "--prefix", str(cls.folder / "prefix"), "--component", "bridge")
        shutil.copytree(TYPED, cls.folder / "source")
        cls.without_generator = call(*cls.configure())
        run(cls.python, "-m", "pip", "install", "-q", "pybind11-stubgen", "mypy", "pyright[nodejs]")
        run(*cls.configure())
        run("cmake", "--build", str(cls.folder / "build"))

    @classmethod
    def configure(cls):
        return ("cmake", "-G", "Ninja", "-S", str(cls.folder / "source"), "-B", str(cls.folder / "build"), "-DCMAKE_BUILD_TYPE=Debug",
                f"-DPython_EXECUTABLE={cls.python}", f"-DCMAKE_PREFIX_PATH={cls.folder}/prefix")  # fmt: skip

    def mypy(self, file):
        """The lines of the file that it refuses."""
        environment = {**os.environ, "MYPYPATH": f"{self.folder}/build:{PACKAGE}"}
        said = call(self.python, "-m", "mypy", "--strict", "--no-incremental", str(TYPED / file), env=environment).stdout
        return {int(line) for line in re.findall(rf"{file}:(\d+): error", said)}, said

    def pyright(self, file):
        project = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        shutil.copy(TYPED / file, project)
        settings = {"include": [file], "typeCheckingMode": "strict", "pythonVersion": "3.11",
                    "extraPaths": [str(self.folder / "build"), str(PACKAGE)], "reportUnusedVariable": False}  # fmt: skip
        (project / "pyrightconfig.json").write_text(json.dumps(settings))
        said = call(self.python, "-m", "pyright", "--outputjson", "-p", str(project)).stdout
        found = json.loads(said[said.index("{") :])
        self.assertEqual(found["summary"]["filesAnalyzed"], 1, said)
        return {one["range"]["start"]["line"] + 1 for one in found["generalDiagnostics"] if one["severity"] == "error"}, said

    def test_a_right_program_has_no_errors(self):
        for check in (self.mypy, self.pyright):
            lines, said = check("good.py")
            self.assertEqual(lines, set(), said)

    def test_each_mistake_is_found(self):
        text = (TYPED / "bad.py").read_text().splitlines()
        wrong = {number for number, line in enumerate(text, 1) if line.endswith("# wrong")}
        for check in (self.mypy, self.pyright):
            lines, said = check("bad.py")
            self.assertEqual(lines, wrong, said)

    def test_the_right_program_runs(self):
        paths = f"{self.folder}/build:{BUILD}/bridge/python"
        run(PYTHON, str(TYPED / "good.py"), env={**os.environ, "PYTHONPATH": paths})

    def test_the_stub_of_bridge_asyncio_is_that_of_what_is_there(self):
        environment = {**os.environ, "PYTHONPATH": f"{BUILD}/bridge/python", "MYPYPATH": str(PACKAGE)}
        said = run(self.python, "-m", "mypy.stubtest", "bridge_asyncio", "--ignore-missing-stub", env=environment, cwd=self.folder)
        self.assertIn("Success", said)

    def test_no_generator_is_one_line(self):
        said = " ".join(self.without_generator.stdout.split())
        self.assertIn("bridge_stubs(typed): ", said)
        self.assertIn("has no pybind11-stubgen: run '", said)
        self.assertNotEqual(self.without_generator.returncode, 0)


if __name__ == "__main__":
    if reason := why_not():
        print(f"skipped: PyPI cannot be reached, from which mypy and pyright come:\n{reason}")
        sys.exit(77)
    unittest.main()
