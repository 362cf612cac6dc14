# SPDX-License-Identifier: Apache-2.0
"""The Conan recipe, built from this tree, and a project that takes the package. What it requires is the
system's, so that no registry has to have it: Conan calls that platform requirements."""

import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

from test_install import PYTHON, SOURCE, Folder, run
from test_wheel import why_not

RECIPE = pathlib.Path(SOURCE) / "bridge/packaging/conan"
PROFILE = """
[platform_requires]
boost/1.81
pybind11/2.10.4
fmt/9.1.0
cli11/2.1.2
tomlplusplus/3.3.0
[conf]
tools.cmake.cmaketoolchain:generator=Ninja
"""
CONSUMER = """
[requires]
bridge-asyncio/{version}
[generators]
CMakeToolchain
CMakeDeps
[layout]
cmake_layout
"""


class Conan(Folder):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="bridge-conan-"))
        cls.addClassCleanup(shutil.rmtree, cls.home)
        run(PYTHON, "-m", "venv", str(cls.home / "venv"))
        run(str(cls.home / "venv/bin/pip"), "install", "-q", "conan>=2")
        cls.conan("profile", "detect")
        cls.conan("remote", "disable", "*")
        cls.profile = cls.home / "profiles/default"
        cls.detected = re.sub("compiler.cppstd=.*", "compiler.cppstd=20", cls.profile.read_text())
        cls.detected += f"{PROFILE}tools.cmake.cmaketoolchain:extra_variables={{'Python_EXECUTABLE': '{PYTHON}'}}\n"

    def setUp(self):
        super().setUp()
        self.profile.write_text(self.detected)

    @classmethod
    def conan(cls, *words):
        return run(str(cls.home / "venv/bin/conan"), *map(str, words), env={**os.environ, "CONAN_HOME": str(cls.home)})

    def test_a_project_that_requires_it(self):
        self.conan("create", RECIPE)
        version = json.loads(self.conan("inspect", RECIPE, "--format=json"))["version"]
        (self.folder / "consumer/conanfile.txt").write_text(CONSUMER.format(version=version))
        self.conan("install", self.folder / "consumer", "--output-folder", self.folder / "conan")
        [toolchain] = (self.folder / "conan").rglob("conan_toolchain.cmake")
        self.configure("-DBRIDGE_WAY=find_package", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}", "-DCMAKE_BUILD_TYPE=Release",
                       "-DBRIDGE_COMPONENTS=bridge;harness;runner")  # fmt: skip
        self.build_and_test(3)

    def test_an_older_standard(self):
        self.profile.write_text(self.detected.replace("compiler.cppstd=20", "compiler.cppstd=17"))
        with self.assertRaisesRegex(AssertionError, r"Current cppstd \(17\) is lower than the required C\+\+ standard \(20\)"):
            self.conan("create", RECIPE)


if __name__ == "__main__":
    if reason := why_not():
        print(f"skipped: PyPI cannot be reached, from which Conan comes:\n{reason}")
        sys.exit(77)
    unittest.main()
