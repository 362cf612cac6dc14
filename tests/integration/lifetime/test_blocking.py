# SPDX-License-Identifier: Apache-2.0
"""bridge.blocking where a loop runs already, as in a notebook: cells that are executed inside a callback of it."""

import unittest

from programs import Programs, add_cases

# What a notebook's kernel does: one loop for ever, a cell at a time inside a task of it, all in one namespace.
HEAD = """
import asyncio, os, signal, sys, threading, time
import lifetime_native as native
def uvloop():
    import uvloop
    return uvloop.new_event_loop()
names = {'asyncio': asyncio, 'native': native, 'blocking': native.blocking, 'os': os, 'signal': signal}
async def execute(cells):
    for cell in cells:
        await asyncio.sleep(0)
        exec(cell, names)
def notebook(make_loop, *cells):
    loop = make_loop()
    try: loop.run_until_complete(execute(cells))
    finally: loop.close()
"""

LOOPS = {"asyncio": "asyncio.new_event_loop", "same-thread": "native.EventLoop"}
try:
    import uvloop  # noqa: F401

    LOOPS["uvloop"] = "uvloop"
except ImportError:
    pass

# name -> (cells, what is printed)
NOTEBOOKS = {
    "native work": (["print(native.blocking_hop())", "print(blocking(native.hop()))"], "1\n1\n"),
    "Python work, and names that stay": (
        ["async def double(x):\n    await asyncio.sleep(0.001)\n    return 2 * x", "y = blocking(double(4))", "print(y)"],
        "8\n",
    ),
    "both at once": (
        ["async def many(): return await asyncio.gather(*(native.hop() for _ in range(50)), asyncio.sleep(0, 2))",
         "print(sum(blocking(many())))"],
        "52\n",
    ),
    "a task of the notebook's own loop": (
        ["task = asyncio.get_running_loop().create_task(asyncio.sleep(0, 3))",
         "try: blocking(task)\nexcept RuntimeError as e: print('would wait for ever' in str(e))",
         "print(task.done(), task.result())"],
        "True\nTrue 3\n",
    ),
    "an exception, and the cell after it": (
        ["async def fail():\n    await native.hop()\n    raise KeyError('x')",
         "try: blocking(fail())\nexcept KeyError as e: print(repr(e))", "print(native.blocking_hop())"],
        "KeyError('x')\n1\n",
    ),
    "Ctrl-C, which ends the work and not the notebook": (
        ["async def endless():\n    try:\n        os.kill(os.getpid(), signal.SIGINT)\n        await native.forever()\n"
         "    except asyncio.CancelledError:\n        print('cancelled')\n        raise",
         "try: blocking(endless())\nexcept KeyboardInterrupt: print('KeyboardInterrupt')", "print(native.blocking_hop())"],
        "cancelled\nKeyboardInterrupt\n1\n",
    ),
}


class Notebooks(Programs):
    pass


def add(name, cells, output, loop, factory):
    def test(self):
        self.check(f"{HEAD}\nnotebook({factory}, *{cells!r})", output=output, rounds=1)

    attribute = "test_" + "".join(c if c.isalnum() else "_" for c in f"{name} {loop}")
    setattr(Notebooks, attribute, test)


for loop, factory in LOOPS.items():
    for name, (cells, output) in NOTEBOOKS.items():
        add(name, cells, output, loop, factory)


class Threads(Programs):
    pass


add_cases(
    Threads,
    {
        "Ctrl-C while a task of another thread's loop is awaited": (
            "loop = asyncio.new_event_loop()\nthread = threading.Thread(target=loop.run_forever)\nthread.start()\n"
            "async def start(): return asyncio.ensure_future(native.forever())\n"
            "task = asyncio.run_coroutine_threadsafe(start(), loop).result()\n"
            "threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
            "try: native.blocking(task)\nexcept KeyboardInterrupt: pass\nelse: raise AssertionError('no error')\n"
            "async def end():\n    await asyncio.wait([task])\n    return task.cancelled()\n"
            "assert asyncio.run_coroutine_threadsafe(end(), loop).result()\n"
            "loop.call_soon_threadsafe(loop.stop)\nthread.join()\nloop.close()",
            0,
            [],
        ),
        "in many threads at once": (
            "def work():\n    for _ in range(20): assert native.blocking_hop() == 1\n"
            "threads = [threading.Thread(target=work) for _ in range(8)]\n[t.start() for t in threads]\n[t.join() for t in threads]",
            0,
            [],
        ),
    },
    HEAD,
)

if __name__ == "__main__":
    unittest.main()
