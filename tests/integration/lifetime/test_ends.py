# SPDX-License-Identifier: Apache-2.0
"""Programs that end with native work under way: each in a process of its own, many times."""

import os
import subprocess
import sys
import unittest

ROUNDS = int(os.environ.get("BRIDGE_ROUNDS", "5"))
HEAD = "import asyncio, os, sys\nimport lifetime_native as native\n"

# name: (program, exit code, words that stderr must have; none: it must be empty)
ENDS = {
    "one await": ("asyncio.run(native.hop())", 0, []),
    "a hundred in a gather": (
        "async def main(): await asyncio.gather(*(native.hop() for _ in range(100)))\nasyncio.run(main())",
        0,
        [],
    ),
    "a task left over": (
        "async def main():\n    asyncio.create_task(native.forever())\n    await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "a hot future left over": (
        "async def main():\n    native.hot_forever()\n    await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "a hot future kept by a global": (
        "async def main():\n    global kept\n    kept = [native.hot_forever() for _ in range(10)]\nasyncio.run(main())",
        0,
        [],
    ),
    "busy threads": (
        "async def main():\n    global kept\n    kept = [native.hot_spin(10**7) for _ in range(8)]\n    await native.hop()\n"
        "asyncio.run(main())",
        0,
        [],
    ),
    "sys.exit in a task": (
        "async def main():\n    native.hot_forever()\n    await native.hop()\n    sys.exit(3)\nasyncio.run(main())",
        3,
        [],
    ),
    "os._exit": ("async def main():\n    native.hot_spin(10**7)\n    os._exit(4)\nasyncio.run(main())", 4, []),
    "an unhandled exception": (
        "async def main():\n    native.hot_forever()\n    await native.hop()\n    raise ValueError('seen')\nasyncio.run(main())",
        1,
        ["ValueError: seen"],
    ),
    "a loop closed early": (
        "loop = asyncio.new_event_loop()\nasync def main(): return native.hot_forever()\n"
        "future = loop.run_until_complete(main())\nloop.close()\n"
        "assert future.done() and 'event loop was closed' in str(future.exception())",
        0,
        [],
    ),
    "awaiting on a closed loop is no hang": (
        "loop = asyncio.new_event_loop()\nloop.close()\ncoro = native.hop()\n"
        "try: loop.run_until_complete(coro)\nexcept RuntimeError as e: print(e)\ncoro.close()",
        0,
        [],
    ),
    "never awaited": ("native.hop()", 0, ["RuntimeWarning: coroutine 'hop' was never awaited"]),
    "no loop": (
        "try: native.hot_forever()\nexcept RuntimeError as e: assert 'no event loop' in str(e), e\n"
        "else: raise AssertionError('no error')",
        0,
        [],
    ),
    "consecutive runs": ("for _ in range(5): asyncio.run(native.hop())", 0, []),
    "loops leave no descriptor behind": (
        "import gc\n"
        "def count(): gc.collect(); return len(os.listdir('/proc/self/fd'))\n"
        "asyncio.run(native.hop()); before = count()\n"
        "for _ in range(20): asyncio.run(native.hop())\n"
        # a native thread may be about to let go of the last loop's
        "while count() > before: os.sched_yield()",
        0,
        [],
    ),
    "two loops in two threads": (
        "import threading\n"
        "def run(): asyncio.run(native.hop())\n"
        "threads = [threading.Thread(target=run) for _ in range(2)]\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]",
        0,
        [],
    ),
}


class Ends(unittest.TestCase):
    def run_once(self, program):
        return subprocess.run(
            [sys.executable, "-c", HEAD + program], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL
        )


def add(name, program, code, words):
    def test(self):
        for _ in range(ROUNDS):
            ended = self.run_once(program)
            self.assertEqual(ended.returncode, code, ended.stderr)
            if not words:
                self.assertEqual(ended.stderr, "")
            for word in words:
                self.assertIn(word, ended.stderr)

    setattr(Ends, "test_" + name.replace(" ", "_").replace(".", "_"), test)


for name, end in ENDS.items():
    add(name, *end)

if __name__ == "__main__":
    unittest.main()
