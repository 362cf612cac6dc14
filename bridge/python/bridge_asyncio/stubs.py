# SPDX-License-Identifier: Apache-2.0
"""Writes the stub of a module: python -m bridge_asyncio.stubs MODULE FOLDER

By pybind11-stubgen, which writes a C++ coroutine function as a plain one that returns what awaiting it gives; then with
`async` before each of these. MODULE STUB.pyi: marks them in a stub that is there, of any generator.
"""

import importlib
import inspect
import pathlib
import re
import subprocess
import sys


def mark(stub, module):
    """The text of a stub with `async` before each function that is a coroutine function in the module."""
    lines = []
    scopes = [(-1, module)]  # indentation of a class, and the class
    for line in stub.splitlines(keepends=True):
        found = re.match(r"( *)(class|def) (\w+)", line)
        if found:
            indentation, kind, name = len(found[1]), found[2], found[3]
            while scopes[-1][0] >= indentation:
                scopes.pop()
            named = getattr(scopes[-1][1], name, None)
            if kind == "class":
                scopes.append((indentation, named))
            elif inspect.iscoroutinefunction(named) and "Coroutine[" not in line:
                line = line.replace("def ", "async def ", 1)
        lines.append(line)
    return "".join(lines)


def generate(name, folder):
    """The stub files that pybind11-stubgen has written for a module; one, unless it has submodules."""
    done = subprocess.run([sys.executable, "-m", "pybind11_stubgen", name, "-o", folder], capture_output=True, text=True)
    if "No module named pybind11_stubgen" in done.stderr:
        sys.exit(f"bridge_asyncio.stubs: pybind11-stubgen is not installed: run '{sys.executable} -m pip install pybind11-stubgen'")
    if done.returncode != 0:
        sys.exit(f"bridge_asyncio.stubs: pybind11-stubgen failed for {name}:\n{done.stderr}")
    top = folder.joinpath(*name.split("."))
    if top.with_suffix(".pyi").is_file():
        return [(name, top.with_suffix(".pyi"))]
    return [(".".join((name, *path.relative_to(top).with_suffix("").parts)).removesuffix(".__init__"), path) for path in top.rglob("*.pyi")]


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 2
    name, where = arguments[0], pathlib.Path(arguments[1])
    for module, path in [(name, where)] if where.suffix == ".pyi" else generate(name, where):
        path.write_text(mark(path.read_text(), importlib.import_module(module)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
