# SPDX-License-Identifier: Apache-2.0
"""python -m bridge_asyncio.stubs: what stub generators write becomes what type checkers have to know."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

GENERATED = '''\
class Holder:
    def __init__(self) -> None:
        ...
    def open(self) -> None:
        """def in_text()"""
    def touch(self) -> None:
        ...
def hop() -> None:
    ...
def hot_sleep(arg0: float) -> object:
    ...
def sleep(seconds: float) -> None:
    ...
def spin(arg0: int) -> collections.abc.Coroutine[typing.Any, typing.Any, None]:
    ...
'''


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "bridge_asyncio.stubs", *map(str, arguments)],
                          capture_output=True, text=True, timeout=60)


class Stubs(unittest.TestCase):
    def test_coroutine_functions_are_marked_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            stub = pathlib.Path(folder, "native.pyi")
            stub.write_text(GENERATED)
            for _ in range(2):  # what is marked stays as it is
                self.assertEqual(run("same_thread_native", stub).returncode, 0)
                marked = GENERATED
                for name in ("open", "hop", "sleep"):
                    marked = marked.replace(f"def {name}(", f"async def {name}(")
                self.assertEqual(stub.read_text(), marked)

    def test_without_arguments_it_says_how(self):
        done = run()
        self.assertEqual(done.returncode, 2)
        self.assertIn("python -m bridge_asyncio.stubs MODULE FOLDER", done.stderr)


if __name__ == "__main__":
    unittest.main()
