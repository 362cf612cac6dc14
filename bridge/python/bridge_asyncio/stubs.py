# SPDX-License-Identifier: Apache-2.0
"""Marks the coroutine functions in a stub: python -m bridge_asyncio.stubs MODULE STUB.pyi

Stub generators write a C++ coroutine function as a plain one that returns what awaiting it gives.
"""

import importlib
import inspect
import pathlib
import re
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


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 2
    module, path = importlib.import_module(arguments[0]), pathlib.Path(arguments[1])
    path.write_text(mark(path.read_text(), module))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
