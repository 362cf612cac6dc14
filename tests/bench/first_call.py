# SPDX-License-Identifier: Apache-2.0
"""From an empty environment to an awaited call: what a user of the wheel waits for; prints, decides nothing.

`first_call.py WHEEL [PYTHON]`. Each line is a virtual environment of its own, in which pip installs the wheel and an
extension module (tests/packaging/extension), which it compiles with the sources from the wheel, and Python awaits a
function of it. The last one has the ccache of the one before: without isolation, in which each build has the headers in
another folder. Needs PyPI for what the build asks for."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

EXTENSION = pathlib.Path(__file__).parents[1] / "packaging/extension"
BUILT_WITH = "scikit-build-core", "pybind11"
AWAIT = "import asyncio, first; assert asyncio.run(first.thread()) > 0"


def run(*words, environment):
    subprocess.run([str(word) for word in words], env=environment, check=True, stdout=subprocess.DEVNULL)


def settings(folder, wheel):
    environment = {**os.environ, "PIP_FIND_LINKS": str(wheel.parent), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                   "CCACHE_DIR": str(folder / "ccache"), "CCACHE_BASEDIR": "/", "CMAKE_CXX_COMPILER_LAUNCHER": "ccache"}
    for name in "PYTHONPATH", "VIRTUAL_ENV", *(() if shutil.which("ccache") else ("CMAKE_CXX_COMPILER_LAUNCHER",)):
        environment.pop(name, None)
    return environment


def from_nothing(folder, wheel, python, *isolation):
    """Seconds that each step takes."""
    venv = folder / "venv"
    shutil.rmtree(venv, ignore_errors=True)
    pip = venv / "bin/pip", "install", "--quiet"
    steps = {
        "environment": (python, "-m", "venv", venv),
        "wheel": (*pip, "bridge-asyncio", *(BUILT_WITH if isolation else ())),
        "extension": (*pip, *isolation, EXTENSION),
        "call": (venv / "bin/python", "-c", AWAIT),
    }
    taken = {}
    for name, words in steps.items():
        begun = time.perf_counter()
        run(*words, environment=settings(folder, wheel))
        taken[name] = time.perf_counter() - begun
    return taken


def main():
    wheel = pathlib.Path(sys.argv[1]).resolve()
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    alone = "--no-build-isolation"
    with tempfile.TemporaryDirectory() as folder:
        for name, *isolation in ("as pip does it",), ("without isolation", alone), ("without isolation, with ccache", alone):
            taken = from_nothing(pathlib.Path(folder), wheel, python, *isolation)
            steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in taken.items())
            print(f"first call: {name}: {sum(taken.values()):.0f} s ({steps})", flush=True)


main()
