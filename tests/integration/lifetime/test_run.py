# SPDX-License-Identifier: Apache-2.0
"""bridge::run against asyncio.run: the same program by both, with the same output, exit code and errors."""

import re
import signal
import subprocess
import sys
import unittest

from programs import TIMEOUT, Programs, run_python

HEAD = """
import asyncio, os, signal, sys, threading, time
import lifetime_native as native
run = {run}
"""

# What asyncio.run() and bridge::run have to agree on.
SAME = {
    "a result": "async def main(): return 3\nprint(run(main()))",
    "an exception": "async def main(): raise ValueError('x')\nrun(main())",
    "tasks left over are cancelled and awaited": """
async def left():
    try: await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        print('cleaned up')
async def main():
    asyncio.create_task(left()); asyncio.create_task(left())
    await asyncio.sleep(0)
    return 'main'
print(run(main()))
""",
    "an exception in a left-over task's clean-up": """
async def left():
    try: await asyncio.sleep(60)
    finally: raise KeyError('in clean-up')
async def main():
    asyncio.create_task(left())
    await asyncio.sleep(0)
print(run(main()))
""",
    "an exception of main and one in a clean-up": """
async def left():
    try: await asyncio.sleep(60)
    finally: raise KeyError('in clean-up')
async def main():
    asyncio.create_task(left())
    await asyncio.sleep(0)
    raise ValueError('main')
run(main())
""",
    "async generators are closed": """
async def generate():
    try:
        while True: yield 1
    finally:
        await asyncio.sleep(0)
        print('closed')
kept = []
async def main():
    for _ in range(2):
        kept.append(generate())
        await kept[-1].__anext__()
run(main())
""",
    "an exception in an async generator's aclose": """
async def generate():
    try: yield 1
    finally: raise KeyError('in aclose')
kept = []
async def main():
    kept.append(generate())
    await kept[0].__anext__()
run(main())
""",
    "executor threads are joined": """
async def main():
    asyncio.get_running_loop().run_in_executor(None, lambda: (time.sleep(0.1), print('thread')))
run(main())
print('after')
""",
    "SystemExit in main": "async def main(): sys.exit(3)\nrun(main())",
    "SystemExit in a task": """
async def leave(): sys.exit(4)
async def main():
    asyncio.create_task(leave())
    await asyncio.sleep(60)
run(main())
""",
    "SystemExit with a text": "async def main(): sys.exit('words')\nrun(main())",
    "KeyboardInterrupt in a task": """
async def leave(): raise KeyboardInterrupt()
async def main():
    asyncio.create_task(leave())
    await asyncio.sleep(60)
try: run(main())
except KeyboardInterrupt: print('interrupted')
""",
    "loop.stop": """
async def main():
    asyncio.get_running_loop().stop()
    await asyncio.sleep(60)
run(main())
""",
    "cancelling main": """
async def main():
    asyncio.current_task().cancel()
    await asyncio.sleep(60)
run(main())
""",
    "inside a running loop": """
async def main():
    inner = asyncio.sleep(0)
    try: run(inner)
    except RuntimeError as e: print(type(e).__name__)
    inner.close()
run(main())
""",
    "no loop is current afterwards": """
async def main(): pass
run(main())
import warnings
warnings.simplefilter('ignore')
try: asyncio.get_event_loop(); print('a loop')
except RuntimeError: print('none')
""",
    "Ctrl-C once": """
async def main():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print('cancelled')
        raise
try: run(main())
except KeyboardInterrupt: print('KeyboardInterrupt')
""",
    "Ctrl-C that main swallows": """
async def main():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return 'swallowed'
print(run(main()))
""",
    "Ctrl-C twice": """
async def main():
    os.kill(os.getpid(), signal.SIGINT)
    try: await asyncio.sleep(60)
    except asyncio.CancelledError:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
try: run(main())
except KeyboardInterrupt: print('KeyboardInterrupt')
""",
    "Ctrl-C while async generators are closed": """
async def generate():
    try: yield 1
    finally: os.kill(os.getpid(), signal.SIGINT)
kept = []
async def main():
    kept.append(generate())
    await kept[0].__anext__()
try: run(main())
except KeyboardInterrupt: print('KeyboardInterrupt')
""",
    "Ctrl-C while executor threads are joined": """
async def main():
    loop = asyncio.get_running_loop()
    def interrupt():
        while not loop._executor_shutdown_called: time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
    loop.run_in_executor(None, interrupt)
try: run(main())
except KeyboardInterrupt: print('KeyboardInterrupt')
""",
    "Ctrl-C inside the task that joins the executor": """
async def main():
    loop = asyncio.get_running_loop()
    def start(self):
        threading.Thread.start = before
        os.kill(os.getpid(), signal.SIGINT)
        before(self)
    await loop.run_in_executor(None, int)
    before, threading.Thread.start = threading.Thread.start, start
try: run(main())
except KeyboardInterrupt: print('KeyboardInterrupt')
""",
    "Ctrl-C with a handler of the program's": """
signal.signal(signal.SIGINT, lambda *_: print('handler'))
async def main():
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(0.01)
    return 'went on'
print(run(main()))
""",
    "Ctrl-C uncaught": """
async def main():
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(60)
run(main())
""",
    "in a thread": """
async def main(): print('ran')
thread = threading.Thread(target=lambda: run(main()))
thread.start(); thread.join()
""",
    "context variables": """
import contextvars
variable = contextvars.ContextVar('variable', default=0)
variable.set(1)
async def main():
    print(variable.get())
    variable.set(2)
run(main())
print(variable.get())
""",
    "a task group that fails": """
async def fail(): raise ValueError('group')
async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(fail()); group.create_task(asyncio.sleep(60))
try: run(main())
except* ValueError as e: print(e.exceptions)
""",
    "an exception that nobody retrieves": """
async def fail(): raise ValueError('lost')
async def main():
    asyncio.create_task(fail())
    await asyncio.sleep(0.01)
run(main())
""",
}


# Frames differ; what is raised and said does not.
def essence(ended):
    errors = "\n".join(line for line in ended.stderr.splitlines() if not line.startswith((" ", "Traceback")))
    if sys.version_info < (3, 11):  # asyncio makes a new CancelledError there for whoever awaits the task
        errors = errors.split("During handling of the above exception, another exception occurred:")[-1].strip()
    errors = re.sub(r"0x[0-9a-f]+|Task-\d+|<string>:\d+", "_", errors)
    return ended.returncode, ended.stdout, errors


class SameAsAsyncio(unittest.TestCase):
    pass


def add(name, program):
    def test(self):
        ours, theirs = (run_python(HEAD.format(run=run) + program) for run in ("native.run", "asyncio.run"))
        self.assertEqual(essence(ours), essence(theirs), ours.stderr + theirs.stderr)

    setattr(SameAsAsyncio, "test_" + re.sub(r"\W", "_", name), test)


for name, program in SAME.items():
    if sys.version_info >= (3, 11) or "Ctrl-C" not in name:  # before, Ctrl-C went past main
        add(name, program)


class NotBegun(Programs):
    """Where no loop can be run there is the error, and no word about a coroutine that was never awaited."""

    def check_refused(self, program, words):
        self.check(HEAD.format(run="native.run") + program, output=words + "\n", rounds=1)

    def test_a_loop_factory_that_fails(self):
        self.check_refused(
            "def fail(): raise KeyError('no loop')\n"
            "try: native.run_hop(fail)\nexcept KeyError as e: print(repr(e))",
            "KeyError('no loop')",
        )

    def test_a_loop_factory_that_gives_no_loop(self):
        self.check_refused(
            "try: native.run_hop(lambda: 5)\nexcept TypeError as e: print(e)",
            "bridge.run(): the loop factory must give an event loop, not 5",
        )

    def test_a_loop_that_is_closed(self):
        self.check_refused(
            "loop = asyncio.new_event_loop()\nassert native.run_hop(lambda: loop) == 1\n"
            "try: native.run_hop(lambda: loop)\nexcept RuntimeError as e: print(e)",
            "Event loop is closed",
        )

    def test_threads_of_a_runtime_that_has_begun(self):
        self.check_refused(
            "asyncio.run(native.hop())\n"
            "try: native.run_hop(threads=2)\nexcept RuntimeError as e: print(str(e).split(';')[0])",
            "init_default_runtime: the default runtime is already running in this program or module",
        )

    def test_a_loop_that_runs_already(self):
        self.check_refused(
            "async def main():\n    try: native.run_hop()\n    except RuntimeError as e: print(e)\nasyncio.run(main())",
            "bridge.run() cannot be called while an event loop runs on this thread; await the coroutine instead",
        )


class Bounded(Programs):
    """Where asyncio.run() waits for ever, bridge::run reports and goes on."""

    def check_bounded(self, program, words):
        self.check(HEAD.format(run="native.run") + program + "\nos._exit(0)", words=words, rounds=1)

    def test_a_task_that_refuses_to_end(self):
        self.check_bounded(
            "async def deaf():\n"
            "    while True:\n"
            "        try: await asyncio.sleep(60)\n"
            "        except asyncio.CancelledError: pass\n"
            "async def main():\n    asyncio.create_task(deaf())\n    await asyncio.sleep(0)\n"
            "run(main(), deadline=200)",
            ["a task did not end within 0.2 s of its cancellation: <Task ", "coro=<deaf() running at <string>:"],
        )

    def test_native_work_that_does_not_end_is_named_with_its_place(self):
        self.check_bounded(
            "async def main():\n    asyncio.create_task(native.stubborn())\n    await native.hop()\n"
            "run(main(), deadline=200)",
            ["native work did not end within 0.2 s of its cancellation:", "stubborn, waiting in forever at ", "module.cpp:"],
        )

    def test_an_async_generator_that_does_not_close(self):
        self.check_bounded(
            "async def generate():\n    try: yield 1\n    finally: await asyncio.sleep(60)\n"
            "async def main():\n    global kept\n    kept = generate()\n    await kept.__anext__()\n"
            "run(main(), deadline=200)",
            ["async generators did not end within 0.2 s of their aclose()"],
        )

    def test_an_executor_thread_that_blocks(self):
        self.check_bounded(
            "async def main(): asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)\n"
            "run(main(), deadline=200)",
            ["threads of the default executor did not end within 0.2 s"],
        )

    def test_ctrl_c_reaches_native_work(self):
        program = HEAD.format(run="native.run") + (
            "async def main():\n    print('up', flush=True)\n    await native.forever()\n"
            "try: run(main())\nexcept KeyboardInterrupt: print('interrupted')"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            self.assertEqual(child.stdout.readline(), "up\n")
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=TIMEOUT)
        self.assertEqual((child.returncode, out, err), (0, "interrupted\n", ""))


if __name__ == "__main__":
    unittest.main()
