# SPDX-License-Identifier: Apache-2.0
"""The wheel, and extension modules that pip builds with it, as users do. Needs PyPI, for isolated builds."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

from test_install import BUILD, HERE, PYTHON, SOURCE, run

LAUNCHER = shutil.which("ccache")
QUICK = ("--no-build-isolation", "--config-settings=cmake.build-type=Debug")  # and found by ccache
NO_BOOST = "--config-settings=cmake.args=-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON"
BUILT_WITH = ("scikit-build-core>=0.10", "pybind11>=2.10.3", "wheel")


class Place:
    """A folder of its own for all: wheels, environments, and pip's builds, which are found there by ccache."""

    def __init__(self, folder):
        self.folder = folder
        self.wheels = folder / "wheels"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")},
            "TMPDIR": str(folder / "tmp"),
            "CCACHE_BASEDIR": str(folder),
            "SOURCE_DATE_EPOCH": "1700000000",
            "PIP_FIND_LINKS": f"{self.wheels} {os.environ.get('PIP_FIND_LINKS', '')}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        for path in (self.wheels, folder / "tmp"):
            path.mkdir()

    def make_venv(self, name, *packages):
        venv = self.folder / name
        run(PYTHON, "-m", "venv", str(venv))
        if packages:
            self.pip(name, "install", *packages)
        return venv

    def pip(self, venv, *words):
        more = {"CMAKE_CXX_COMPILER_LAUNCHER": LAUNCHER} if LAUNCHER else {}
        return run(str(self.folder / venv / "bin/pip"), *map(str, words), env={**self.environment, **more})

    def python(self, venv, program, *options):
        """What a program prints, without any path of this process's own."""
        return run(str(self.folder / venv / "bin/python"), *options, "-c", program, env=self.environment, cwd=self.folder)

    def copy_source(self, name):
        """As a clone is."""
        ignored = shutil.ignore_patterns("build", ".git", "__pycache__")
        return pathlib.Path(shutil.copytree(SOURCE, self.folder / name, ignore=ignored))

    def build_bridge(self, source, wheels, *words):
        self.pip("tools", "wheel", "--no-deps", "-w", wheels, *words, source)
        [wheel] = wheels.glob("bridge_asyncio-*.whl")
        return wheel

    def build_extension(self, name, venv="tools", *words):
        project = self.folder / name
        shutil.copytree(HERE / "extension", project)
        text = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(text.replace('"first"', f'"{name}"'))
        self.pip(venv, "wheel", "--no-deps", "-w", self.wheels, *words, project)


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(BUILD).resolve() / "wheel_test"  # always the same: ccache knows it
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.place = Place(folder)
        cls.place.make_venv("tools", *BUILT_WITH)
        cls.wheel = cls.place.build_bridge(cls.place.copy_source("source"), cls.place.wheels)
        cls.place.make_venv("user", "--no-index", cls.wheel)
        cls.place.pip("tools", "install", "--no-index", cls.wheel)
        cls.place.build_extension("first")
        cls.place.build_extension("second", "tools", *QUICK)
        cls.place.pip("user", "install", "--no-index", "first", "second")

    def check(self, program, *options, venv="user"):
        return self.place.python(venv, program, *options)

    def test_what_is_in_it(self):
        program = self.place.folder / "user/bin/bridge-test"
        self.assertIn("bridge-test 0.1.0", run(str(program), "--version"))
        self.assertEqual(self.check("import bridge_asyncio, sys; print(bridge_asyncio.stats()['images'])"), "1\n")
        python = str(self.place.folder / "user/bin/python")
        folder = pathlib.Path(run(python, "-m", "bridge_asyncio", "--cmakedir").strip())
        self.assertTrue((folder / "bridgeConfig.cmake").is_file(), folder)
        with zipfile.ZipFile(self.wheel) as wheel:
            names = wheel.namelist()
        self.assertIn("bridge_asyncio/py.typed", names)
        self.assertIn("bridge_asyncio/__init__.pyi", names)

    def test_a_call_is_awaited(self):
        for loop in ("asyncio", "bridge_asyncio"):
            with self.subTest(loop=loop):
                self.check(f"import first, {loop}; assert {loop}.run(first.thread()) > 0", "-W", "error")

    def test_two_of_one_version_share_the_loop(self):
        for order in ("first, second, bridge_asyncio", "bridge_asyncio, second, first"):
            with self.subTest(order=order):
                self.check(
                    f"import {order}, threading\n"
                    "async def main():\n"
                    "    mine = threading.get_native_id()\n"
                    "    assert await first.thread() == await second.thread() == mine\n"
                    "    assert await first.await_other(second.await_other(first.thread())) == mine\n"
                    "bridge_asyncio.run(main())\n"
                    "assert bridge_asyncio.stats()['images'] == 3",
                    "-W",
                    "error",
                )

    def test_two_versions_work_side_by_side(self):
        source = self.place.copy_source("older")
        for file in ("CMakeLists.txt", "bridge/include/bridge/version.hpp"):
            text = (source / file).read_text()
            (source / file).write_text(text.replace("0.1.0", "0.0.9", 1))
        older = self.place.build_bridge(source, self.place.folder / "older_wheels", *QUICK)
        self.assertIn("bridge_asyncio-0.0.9-", older.name)
        self.place.make_venv("older_tools", *BUILT_WITH)
        self.place.pip("older_tools", "install", "--no-index", older)
        self.place.build_extension("third", "older_tools", *QUICK)
        self.place.make_venv("both", "--no-index", self.wheel)
        self.place.pip("both", "install", "--no-index", "first", "third")
        for order in ("first, third, bridge_asyncio", "third, bridge_asyncio, first"):
            with self.subTest(order=order):
                said = self.check(
                    f"import {order}, asyncio\n"
                    "async def main():\n"
                    "    assert await first.thread() and await third.thread()\n"
                    "    assert await first.await_other(third.await_other(first.thread()))\n"
                    "asyncio.run(main())\n"
                    "bridge_asyncio.run(main())\n"
                    "print('both ran')",
                    venv="both",
                )
                self.assertRegex(said, r"RuntimeWarning: this module was built with bridge \S+ \(.*each keeps to itself")
                self.assertTrue(said.endswith("both ran\n"), said)

    def test_the_same_bytes_from_another_folder(self):
        again = self.place.build_bridge(self.place.copy_source("elsewhere/source"), self.place.folder / "again")
        self.assertEqual(again.read_bytes(), self.wheel.read_bytes())

    def test_no_boost_is_one_line(self):
        with self.assertRaises(AssertionError) as refused:
            self.place.build_extension("boostless", "tools", *QUICK, NO_BOOST)
        said = " ".join(str(refused.exception).split())
        self.assertIn("bridge: the headers of Boost 1.81 or later were not found: install libboost-dev", said)
        self.assertIn('add "libboost-headers" to the requires of pyproject.toml', said)

    def test_uninstalling_leaves_nothing(self):
        venv = self.place.make_venv("left")
        before = {path for path in venv.rglob("*") if "__pycache__" not in path.parts}
        self.place.pip("left", "install", "--no-index", self.wheel)
        self.place.python("left", "import bridge_asyncio")
        self.place.pip("left", "uninstall", "-y", "bridge-asyncio")
        self.assertEqual({path for path in venv.rglob("*") if "__pycache__" not in path.parts}, before)

    def test_nothing_of_the_build_is_in_it(self):
        """Neither its folder nor its time: the same wheel from any folder."""
        with zipfile.ZipFile(self.wheel) as wheel:
            for name in wheel.namelist():
                self.assertNotIn(str(self.place.folder).encode(), wheel.read(name), name)
            self.assertEqual({file.date_time for file in wheel.infolist()}, {(2023, 11, 14, 22, 13, 20)})


def why_not():
    """Why pip cannot be used with PyPI; nothing if it can."""
    with tempfile.TemporaryDirectory() as folder:
        asks = [PYTHON, "-m", "venv", folder], [f"{folder}/bin/pip", "download", "-q", "--no-deps", "--no-cache-dir", "-d", folder, BUILT_WITH[0]]
        for command in asks:
            asked = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240)
            if asked.returncode != 0:
                return asked.stdout.strip()
    return None


if __name__ == "__main__":
    if reason := why_not():
        print(f"skipped: PyPI cannot be reached, and pip needs it for isolated builds:\n{reason}")
        sys.exit(77)
    unittest.main()
