# SPDX-License-Identifier: Apache-2.0
"""bridge.blocking where a loop runs already, as in a notebook: cells that are executed inside a callback of it."""

import sys
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
    "a thread of the work that waits for a task of the notebook's own loop": (
        ["task = asyncio.get_running_loop().create_task(asyncio.sleep(0, 3))",
         "async def inner(): return await asyncio.to_thread(blocking, task)\n"
         "try: blocking(inner())\nexcept RuntimeError as e: print('would wait for ever' in str(e))",
         "print(task.result())"],
        "True\n3\n",
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
    "an exception of a signal handler, a TimeoutError too": (
        ["def fail(*_): raise TimeoutError('by the handler')", "signal.signal(signal.SIGALRM, fail)",
         "async def endless():\n    try:\n        os.kill(os.getpid(), signal.SIGALRM)\n        await native.forever()\n"
         "    except asyncio.CancelledError:\n        print('cancelled')\n        raise",
         "try: blocking(endless())\nexcept TimeoutError as e: print(e, e.__context__)", "print(native.blocking_hop())"],
        "cancelled\nby the handler None\n1\n",
    ),
    "a future that is done": (
        ["future = asyncio.get_running_loop().create_future()", "future.set_result(4)", "print(blocking(future))"],
        "4\n",
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


# A task of another thread's loop, which calls a function when somebody begins to wait for it.
THERE = """
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever)
thread.start()
class Task(asyncio.Task):
    def add_done_callback(self, *args, **more):
        super().add_done_callback(*args, **more)
        self.when_awaited()
def start(coroutine, when_awaited):
    async def make():
        task = Task(coroutine)
        task.when_awaited = when_awaited
        return task
    return asyncio.run_coroutine_threadsafe(make(), loop).result()
def stop():
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
"""


class Threads(Programs):
    pass


add_cases(
    Threads,
    {
        "Ctrl-C while a task of another thread's loop is awaited": (
            f"{THERE}\nasync def endless(): await native.forever()\n"
            "task = start(endless(), lambda: os.kill(os.getpid(), signal.SIGINT))\n"
            "try: native.blocking(task)\nexcept KeyboardInterrupt: pass\nelse: raise AssertionError('no error')\n"
            "async def end():\n    task.when_awaited = lambda: None\n    await asyncio.wait([task])\n    return task.cancelled()\n"
            "assert asyncio.run_coroutine_threadsafe(end(), loop).result()\nstop()",
            0,
            [],
        ),
        "an exception of a signal handler while a task of another thread's loop is awaited": (
            # not an OSError, which asyncio's wake-up of the loop would swallow
            f"{THERE}\ndef fail(*_): raise ValueError('by the handler')\nsignal.signal(signal.SIGALRM, fail)\n"
            "async def endless(): await native.forever()\n"
            "task = start(endless(), lambda: os.kill(os.getpid(), signal.SIGALRM))\n"
            "try: native.blocking(task)\nexcept ValueError as e: assert str(e) == 'by the handler', e\n"
            "else: raise AssertionError('no error')\nassert task.cancelled()\nstop()",
            0,
            [],
        ),
        "sys.exit in a signal handler": (
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
            "async def endless():\n    os.kill(os.getpid(), signal.SIGTERM)\n    await native.forever()\n"
            "async def main(): native.blocking(endless())\nasyncio.run(main())",
            7,
            [],
        ),
        "a task of another thread's loop that is cancelled there": (
            f"{THERE}\nasync def leave(): raise asyncio.CancelledError()\n"
            "try: native.blocking(start(leave(), lambda: None))\nexcept asyncio.CancelledError: pass\n"
            "else: raise AssertionError('no error')\nstop()",
            0,
            [],
        ),
        "two loops that would wait for each other": (
            f"{THERE}\nasync def main():\n    here = asyncio.get_running_loop()\n    task = here.create_task(asyncio.sleep(0, 1))\n"
            "    said = []\n"
            "    async def there(going):\n        await going.wait()\n"
            "        try: native.blocking(task)\n        except RuntimeError as e: said.append(str(e))\n        return 2\n"
            "    going = asyncio.Event()\n"
            "    assert native.blocking(start(there(going), going.set)) == 2\n"
            "    assert len(said) == 1 and 'would wait for ever' in said[0], said\n    assert await task == 1\n"
            "asyncio.run(main())\nstop()",
            0,
            [],
        ),
        "a thread that waits for a task of a loop that stands still for something else": (
            "async def main():\n    task = asyncio.ensure_future(asyncio.sleep(0, 1))\n    seen = []\n"
            "    thread = threading.Thread(target=lambda: seen.append(native.blocking(task)))\n"
            "    async def work():\n        thread.start()\n        for _ in range(100): await native.hop()\n"
            "    native.blocking(work())\n    await asyncio.to_thread(thread.join)\n    assert seen == [1]\nasyncio.run(main())",
            0,
            [],
        ),
        "a future of another thread's loop that is stopped and closed": (
            "loop = asyncio.new_event_loop()\n"
            "class Future(asyncio.Future):\n    def add_done_callback(self, *args, **more):\n"
            "        super().add_done_callback(*args, **more)\n        loop.stop()\n"
            "def run():\n    loop.run_forever()\n    loop.close()\n"
            "future = Future(loop=loop)\nrunning = threading.Event()\nloop.call_soon(running.set)\n"
            "thread = threading.Thread(target=run)\nthread.start()\nrunning.wait()\n"
            "try: native.blocking(future)\nexcept RuntimeError as e: assert str(e) == 'the event loop was closed before the "
            "operation finished; await the operation before the loop ends [bridge:2]', e\nelse: raise AssertionError('no error')\n"
            "thread.join()",
            0,
            [],
        ),
        "a future that is done, of a loop that does not run or is closed": (
            "loop = asyncio.new_event_loop()\nfuture, failed = loop.create_future(), loop.create_future()\n"
            "future.set_result(5)\nfailed.set_exception(KeyError('x'))\n"
            "async def main():\n    assert native.blocking(future) == 5\n"
            "    try: native.blocking(failed)\n    except KeyError: pass\n    else: raise AssertionError('no error')\n"
            "asyncio.run(main())\nloop.close()\nassert native.blocking(future) == 5",
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

RUNS = {
    "asyncio.run": "asyncio.run",
    "a Runner of the same-thread loop": "run_in_a_runner",
    "bridge::run": "native.run",
}

ENDLESS = """
def run_in_a_runner(main):
    with asyncio.Runner(loop_factory=native.EventLoop) as runner: return runner.run(main)
def interrupt(): os.kill(os.getpid(), signal.SIGINT)
async def endless():
    try:
        interrupt()
        await native.forever()
    except asyncio.CancelledError:
        print('cancelled')
        raise
"""

# name -> (main, what is printed): Ctrl-C where a runner waits for it.
INTERRUPTED = {
    "it ends the work and not main": (
        "before = signal.getsignal(signal.SIGINT)\n"
        "try: native.blocking(endless())\nexcept KeyboardInterrupt: print('KeyboardInterrupt')\n"
        "assert signal.getsignal(signal.SIGINT) is before\nawait asyncio.sleep(0)\nprint('went on')",
        "cancelled\nKeyboardInterrupt\nwent on\n",
    ),
    "uncaught it ends main too": ("native.blocking(endless())", "cancelled\nKeyboardInterrupt from run\n"),
    "work that swallows it": (
        "async def deaf():\n    try: await endless()\n    except asyncio.CancelledError: return 'swallowed'\n"
        "print(native.blocking(deaf()))",
        "cancelled\nswallowed\n",
    ),
    "the second one does not wait for the work": (
        "let_go = threading.Event()\n"
        "async def deaf():\n    interrupt()\n    while not let_go.is_set():\n        try: await asyncio.sleep(0.001)\n"
        "        except asyncio.CancelledError: interrupt()\n"
        "try: native.blocking(deaf())\nexcept KeyboardInterrupt: print('KeyboardInterrupt')\nlet_go.set()",
        "KeyboardInterrupt\n",
    ),
    "too late for the work": (
        "async def left():\n    try: await native.forever()\n    finally: interrupt()\n"
        "async def work():\n    asyncio.ensure_future(left())\n    await asyncio.sleep(0)\n"
        "try: native.blocking(work())\nexcept KeyboardInterrupt: print('KeyboardInterrupt')",
        "KeyboardInterrupt\n",
    ),
    "a task of another thread's loop": (
        "async def wait():\n    try: await native.forever()\n    finally: print('ended')\n"
        "task = start(wait(), interrupt)\n"
        "try: native.blocking(task)\nexcept KeyboardInterrupt: print('KeyboardInterrupt', task.cancelled())\nstop()",
        "ended\nKeyboardInterrupt True\n",
    ),
    "a handler of the program's stays": (
        "signal.signal(signal.SIGINT, lambda *_: print('handler', flush=True))\n"
        "async def work():\n    interrupt()\n    await native.hop()\n    return 'went on'\nprint(native.blocking(work()))",
        "handler\nwent on\n",
    ),
}
if sys.version_info >= (3, 11):  # before, there is no runner that would take it
    INTERRUPTED["just before"] = (
        "interrupt()\nasync def endless():\n    try: await native.forever()\n"
        "    except asyncio.CancelledError:\n        print('cancelled')\n        raise\n"
        "try: native.blocking(endless())\nexcept asyncio.CancelledError:\n    print('CancelledError')\n    raise",
        "cancelled\nCancelledError\nKeyboardInterrupt from run\n",
    )


class Interrupted(Programs):
    pass


def add_interrupted(name, main, output, run):
    lines = "".join(f"    {line}\n" for line in main.splitlines())
    program = (
        f"{HEAD}{ENDLESS}{THERE if 'start(' in main else ''}async def main():\n{lines}"
        f"try: ({RUNS[run]})(main())\nexcept KeyboardInterrupt: print('KeyboardInterrupt from run')"
    )

    def test(self):
        self.check(program, output=output, rounds=2)

    setattr(Interrupted, "test_" + "".join(c if c.isalnum() else "_" for c in f"{name} {run}"), test)


for run in RUNS if sys.version_info >= (3, 11) else ("asyncio.run", "bridge::run"):
    for name, (main, output) in INTERRUPTED.items():
        add_interrupted(name, main, output, run)

if __name__ == "__main__":
    unittest.main()
