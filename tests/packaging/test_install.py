# SPDX-License-Identifier: Apache-2.0
"""`cmake --install`, and a project outside the tree that uses the result, as a user's does."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = os.environ["BRIDGE_BUILD"]
SOURCE = os.environ["BRIDGE_SOURCE"]
PYTHON = os.environ["BRIDGE_PYTHON"]
NO_LIBPYTHON = "-DPython_LIBRARY=/nowhere/libpython3.so"


def call(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=2400, **more)


def run(*command, **more):
    ended = call(*command, **more)
    if ended.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{ended.stdout}")
    return ended.stdout


class Folder(unittest.TestCase):
    """A folder without the source tree, with a copy of the consumer."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bridge-consumer-"))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(HERE / "consumer", self.folder / "consumer")

    def configure(self, *settings):
        command = ["cmake", "-G", "Ninja", "-S", self.folder / "consumer", "-B", self.folder / "build"]
        command += ["-DCMAKE_BUILD_TYPE=Debug", f"-DPython_EXECUTABLE={PYTHON}", *settings]
        if launcher := shutil.which("ccache"):
            command.append(f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}")
        return run(*map(str, command))

    def refused(self, *settings):
        """What find_package says, in one line."""
        with self.assertRaises(AssertionError) as refused:
            self.configure(*settings)
        return " ".join(str(refused.exception).split())

    def build_and_test(self, count):
        run("cmake", "--build", str(self.folder / "build"))
        said = run("ctest", "--test-dir", str(self.folder / "build"), "--no-tests=error")
        self.assertIn(f"100% tests passed, 0 tests failed out of {count}", said)


class Installed(Folder):
    prefix = None

    @classmethod
    def setUpClass(cls):
        cls.prefix = pathlib.Path(tempfile.mkdtemp(prefix="bridge-prefix-"))
        cls.addClassCleanup(shutil.rmtree, cls.prefix)
        run("cmake", "--install", BUILD, "--prefix", str(cls.prefix))

    def find(self, *settings):
        return ("-DBRIDGE_WAY=find_package", f"-DCMAKE_PREFIX_PATH={self.prefix}", *settings)

    def test_all_components(self):
        self.configure(*self.find("-DBRIDGE_COMPONENTS=bridge;harness;runner"))
        self.build_and_test(3)

    def test_the_library_alone(self):
        self.configure(*self.find("-DBRIDGE_COMPONENTS=bridge"))
        self.build_and_test(1)

    def test_pkg_config(self):
        if shutil.which("pkg-config") is None:
            self.skipTest("pkg-config is not installed")
        [file] = self.prefix.rglob("bridge.pc")
        environment = {**os.environ, "PKG_CONFIG_PATH": str(file.parent)}
        flags = run("pkg-config", "--cflags", "--libs", "bridge", env=environment).split()
        compiler = shutil.which("c++")
        headers = run(PYTHON, "-c", "import pybind11; print(pybind11.get_include())") if has_pybind11() else "/usr/include"
        run(compiler, "-shared", "-fPIC", "-fvisibility=hidden", f"-I{headers.strip()}", "greeter.cpp", *flags,
            "-o", "greeter.so", cwd=self.folder / "consumer")  # fmt: skip
        run(PYTHON, "script.py", cwd=self.folder / "consumer")

    def test_nothing_of_the_build_is_in_it(self):
        for file in self.prefix.rglob("*"):
            if file.suffix in (".cmake", ".pc", ".hpp", ".py"):
                for place in (BUILD, SOURCE, str(self.prefix)):
                    whole = rf"(?<![a-z0-9_}}]){re.escape(str(place))}(?![\w.-])"  # a checkout in /bridge is no <bridge/...>
                    self.assertIsNone(re.search(whole, file.read_text()), file)

    def test_a_component_that_there_is_not(self):
        said = self.refused(*self.find("-DBRIDGE_COMPONENTS=bridge;streams"))
        self.assertIn("bridge: has no component 'streams'. Its components are bridge, harness and runner", said)

    def test_a_component_that_is_not_installed(self):
        self.change_config()
        for file in self.folder.rglob("bridge-runner*.cmake"):
            file.unlink()
        said = self.refused("-DBRIDGE_WAY=find_package", f"-DCMAKE_PREFIX_PATH={self.folder}/prefix",
                            "-DBRIDGE_COMPONENTS=runner")  # fmt: skip
        self.assertIn("bridge: its component runner is not installed in", said)

    def test_no_libpython_for_the_harness(self):
        said = self.refused(*self.find("-DBRIDGE_COMPONENTS=harness", NO_LIBPYTHON))
        self.assertIn("has no libpython to link to: install libpython3-dev, use a Python that was built with --enable-shared", said)

    def test_another_version_of_what_it_was_built_with(self):
        for built_for, words in {
            'STREQUAL "3.': "this package was built for Python 9.",
            '_bridge_pybind11 STREQUAL "': "this package was built with pybind11 9",
            'STREQUAL "1.': "this package was built with Boost 9.",
        }.items():
            with self.subTest(words=words):
                self.change_config(built_for)
                said = self.refused("-DBRIDGE_WAY=find_package", f"-DCMAKE_PREFIX_PATH={self.folder}/prefix")
                self.assertIn(words, said)
                self.assertIn("or use bridge by add_subdirectory or FetchContent" if "Python" in words
                              else "or bridge by add_subdirectory or FetchContent", said)  # fmt: skip

    def test_another_major_version(self):
        text = (HERE / "consumer" / "CMakeLists.txt").read_text()
        (self.folder / "consumer" / "CMakeLists.txt").write_text(text.replace("find_package(bridge 0.1", "find_package(bridge 1.0"))
        said = self.refused(*self.find("-DBRIDGE_COMPONENTS=bridge"))
        self.assertIn('compatible with requested version "1.0"', said)

    def change_config(self, built_for=None):
        """A copy of the package that says that it was built for a version 9 of something."""
        copy = self.folder / "prefix"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.prefix, copy)
        if built_for is None:
            return
        [file] = copy.rglob("bridgeConfig.cmake")
        lines = file.read_text().splitlines()
        for number, line in enumerate(lines):
            if built_for in line:
                was = line.split(' STREQUAL "')[1].split('"')[0]
                other = "9" + was[1:]
                lines[number] = line.replace(f'"{was}"', f'"{other}"')
                lines[number + 1 :] = [rest.replace(f"Python {was}", f"Python {other}")
                                       .replace(f"pybind11 {was}", f"pybind11 {other}")
                                       .replace(f"Boost {was}", f"Boost {other}") for rest in lines[number + 1 :]]  # fmt: skip
                break
        file.write_text("\n".join(lines))


class Sources(Folder):
    """Nothing of the user's is found before: not Python, not pybind11."""

    def test_add_subdirectory(self):
        self.configure("-DBRIDGE_WAY=add_subdirectory", f"-DBRIDGE_SOURCE={SOURCE}", "-DBRIDGE_BUILD_CLI=ON")
        self.build_and_test(3)
        run(PYTHON, "-c", "import bridge_asyncio", env={**os.environ, "PYTHONPATH": str(self.folder / "build/bridge/bridge/python")})

    def test_fetch_content(self):
        self.configure("-DBRIDGE_WAY=FetchContent", f"-DBRIDGE_SOURCE={SOURCE}")
        run("cmake", "--build", str(self.folder / "build"), "--target", "CMakeFiles/greeter.dir/greeter.cpp.o")

    def test_no_boost(self):
        said = self.refused("-DBRIDGE_WAY=add_subdirectory", f"-DBRIDGE_SOURCE={SOURCE}", "-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON")
        self.assertIn("bridge: the headers of Boost 1.81 or later were not found: install libboost-dev", said)

    def test_no_pybind11(self):
        said = self.refused("-DBRIDGE_WAY=add_subdirectory", f"-DBRIDGE_SOURCE={SOURCE}", "-DCMAKE_DISABLE_FIND_PACKAGE_pybind11=ON")
        self.assertIn("bridge: pybind11 2.10.3 or later was not found: install pybind11-dev, or run", said)

    def test_no_libpython_leaves_the_harness_out(self):
        said = " ".join(self.configure("-DBRIDGE_WAY=add_subdirectory", f"-DBRIDGE_SOURCE={SOURCE}", NO_LIBPYTHON).split())
        self.assertIn("-- bridge: the harness embeds Python, and", said)
        self.assertNotIn("bridge_harness.dir", run("cmake", "--build", str(self.folder / "build"), "--target", "help"))

    def test_no_fmt(self):
        said = self.refused("-DBRIDGE_WAY=add_subdirectory", f"-DBRIDGE_SOURCE={SOURCE}", "-DBRIDGE_BUILD_CLI=ON",
                            "-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON")  # fmt: skip
        self.assertIn("bridge: fmt, which the runner is built with, was not found: install libfmt-dev", said)


def has_pybind11():
    return subprocess.run([PYTHON, "-c", "import pybind11"], capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(unittest.main())
