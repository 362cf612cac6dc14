# SPDX-License-Identifier: Apache-2.0
"""A NativeError in another process arrives as what it is, whatever modules are there."""

import os
import subprocess
import sys
import tempfile
import unittest

HEAD = """
import asyncio, multiprocessing, concurrent.futures, sys

def work():
    import same_thread_native
    return asyncio.run(same_thread_native.throw_number())

def main(method):
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        try:
            pool.submit(work).result(60)
        except Exception as error:
            caught = error
    assert "same_thread_native" in sys.modules and "bridge_asyncio" not in sys.modules
    import same_thread_native
    assert type(caught) is same_thread_native.NativeError, repr(caught)
    assert str(caught) == "C++ exception of type int", str(caught)
    print("as it is")
"""


class Pickled(unittest.TestCase):
    def test_a_process_that_only_has_the_users_module(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "program.py")  # what is spawned imports it
            for method in ("fork", "spawn"):
                with self.subTest(method), open(program, "w") as file:
                    file.write(f"{HEAD}\nif __name__ == '__main__':\n    main({method!r})\n")
                    file.close()
                    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120)
                    self.assertEqual((done.stdout, done.returncode), ("as it is\n", 0), done.stderr)

    def test_the_package_exports_the_class(self):
        text = """
import pickle
import bridge_asyncio, same_thread_native
assert bridge_asyncio.NativeError is same_thread_native.NativeError
assert pickle.loads(pickle.dumps(bridge_asyncio.NativeError)) is bridge_asyncio.NativeError
class Own(bridge_asyncio.NativeError):
    pass
error = pickle.loads(pickle.dumps(Own("mine", 2)))
assert type(error) is Own and error.args == ("mine", 2)
"""
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
