# SPDX-License-Identifier: Apache-2.0
"""Programs that end with work in flight in both directions and busy native threads, each in a process of its own.

BRIDGE_ROUNDS=200 runs each so often (5); BRIDGE_SHORT_ROUNDS=10000 the script that awaits one operation (50)."""

import os
import sys
import sysconfig
import unittest

from programs import Programs, add_cases

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
SHORT_ROUNDS = int(os.environ.get("BRIDGE_SHORT_ROUNDS", "50"))

# Eight coroutines that keep native threads busy, others that call into Python from there, tasks that await C++.
HEAD = """
import asyncio, atexit, gc, os, signal, sys, threading, time
import lifetime_native as native
native.init(threads=8, exit_deadline=300)
async def keep_hopping():
    try:
        while True: await native.hop()
    except RuntimeError as e:  # where a daemon thread's loop runs on at exit
        if 'shutting down' not in str(e): raise
async def end(tasks):
    for t in tasks: t.cancel()
    await asyncio.wait(tasks)
def load():
    global kept
    kept = [native.hot_spin(10**9) for _ in range(8)]
    kept += [native.hot_await_many(lambda: asyncio.sleep(0)) for _ in range(4)]
    kept += [native.hot_forever(), native.hot_await_many(lambda: asyncio.sleep(3600))]
    return [asyncio.ensure_future(keep_hopping()) for _ in range(4)]
async def loaded():
    load()
    for _ in range(3): await native.hop()
def errors_of(futures):
    return {str(f.exception()) for f in futures if f.done() and not f.cancelled() and f.exception()}
"""

ENDS = {
    "normal exit": ("asyncio.run(loaded())", 0, []),
    "bridge run": ("async def main(): await loaded()\nnative.run(main())", 0, []),
    "the same-thread loop": (
        "loop = native.EventLoop()\nasync def main(): tasks = load(); await native.hop(); await end(tasks)\n"
        "loop.run_until_complete(main())\nloop.close()",
        0,
        [],
    ),
    "sys.exit in main": ("async def main():\n    await loaded()\n    sys.exit(3)\nasyncio.run(main())", 3, []),
    "sys.exit in a task that native code woke": (
        "async def leave():\n    await native.hop()\n    sys.exit(3)\n"
        "async def main():\n    await loaded()\n    asyncio.create_task(leave())\n    await native.forever()\nasyncio.run(main())",
        3,
        None,  # asyncio may say that nobody retrieved it, if the task is collected in time
    ),
    "os._exit": ("async def main():\n    await loaded()\n    os._exit(4)\nasyncio.run(main())", 4, []),
    "an unhandled exception": (
        "async def main():\n    await loaded()\n    raise ValueError('seen')\nasyncio.run(main())",
        1,
        ["ValueError: seen"],
    ),
    "Ctrl-C": (
        "async def main():\n    await loaded()\n    os.kill(os.getpid(), signal.SIGINT)\n    await native.forever()\n"
        "asyncio.run(main())",
        -2,
        ["KeyboardInterrupt"],
    ),
    "SIGTERM": (
        "async def main():\n    await loaded()\n    os.kill(os.getpid(), signal.SIGTERM)\n    await native.forever()\n"
        "asyncio.run(main())",
        -15,
        None,
    ),
    "a daemon thread that runs the loop": (
        "ready = threading.Event()\n"
        "async def main():\n    await loaded()\n    ready.set()\n    await native.forever()\n"
        "threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()\nready.wait()",
        0,
        [],
    ),
    "daemon threads whose loops are at work": (
        "ready = threading.Barrier(3)\n"
        "async def busy():\n    ready.wait()\n"
        "    await asyncio.gather(*(native.await_many(lambda: asyncio.sleep(0)) for _ in range(2)), native.spin(10**9))\n"
        "for _ in range(2): threading.Thread(target=lambda: asyncio.run(busy()), daemon=True).start()\n"
        "ready.wait()\ntime.sleep(0.05)",
        0,
        [],
    ),
    "a daemon thread in the clean-up of what was cancelled": (
        "cleaning = threading.Event()\n"
        "async def below():\n    begun.set()\n    try: await asyncio.Event().wait()\n"
        "    except asyncio.CancelledError:\n        cleaning.set()\n        while True: pass\n"
        "async def main():\n    global begun\n    begun = asyncio.Event()\n"
        "    task = asyncio.ensure_future(native.await_many(below))\n"
        "    await begun.wait()\n    task.cancel()\n    await task\n"
        "threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()\ncleaning.wait()",
        0,
        [],
    ),
    "daemon threads that make loops": (
        "def run():\n    while True:\n        loop = native.EventLoop()\n        loop.run_until_complete(native.hop())\n"
        "        loop.close()\n"
        "for _ in range(2): threading.Thread(target=run, daemon=True).start()\ntime.sleep(0.05)",
        0,
        [],
    ),
    "daemon threads that wait for native work": (
        "def wait():\n    try:\n        while True: native.blocking_hop()\n"
        "    except RuntimeError as e: assert 'shutting down' in str(e), e\n"
        "for _ in range(4): threading.Thread(target=wait, daemon=True).start()\nasyncio.run(loaded())",
        0,
        [],
    ),
    "a thread that goes on after main": (
        "async def main():\n    await loaded()\n    await asyncio.sleep(0.05)\n"
        "threading.Thread(target=lambda: asyncio.run(main())).start()",
        0,
        [],
    ),
    "an exception in a thread": (
        "async def main():\n    await loaded()\n    raise ValueError('seen')\n"
        "t = threading.Thread(target=lambda: asyncio.run(main())); t.start(); t.join()",
        0,
        ["ValueError: seen"],
    ),
    "a loop closed early": (
        "loop = asyncio.new_event_loop()\nasync def main(): tasks = load(); await native.hop(); await end(tasks)\n"
        "loop.run_until_complete(main())\nloop.close()\n"
        "assert errors_of(kept) == {'the event loop was closed before the operation finished; await the operation before "
        "the loop ends [bridge:2]'}, errors_of(kept)\nassert all(f.done() for f in kept)",
        0,
        [],
    ),
    "a loop never closed": (
        "loop = asyncio.new_event_loop()\nasync def main(): tasks = load(); await native.hop(); await end(tasks)\n"
        "loop.run_until_complete(main())",
        0,
        [],
    ),
    "a same-thread loop never closed": (
        "loop = native.EventLoop()\nasync def main(): tasks = load(); await native.hop(); await end(tasks)\n"
        "loop.run_until_complete(main())",
        0,
        [],
    ),
    "a loop collected unclosed": (
        "loop = asyncio.new_event_loop()\nasync def main(): tasks = load(); await native.hop(); await end(tasks)\n"
        "loop.run_until_complete(main())\ndel loop\ngc.collect()",
        0,
        # the collector without a GIL may finalize a task before what it awaits, and asyncio says that it is pending
        None if FREE_THREADED else [],
    ),
    "a loop collected unclosed after what runs in it": (  # older than that, in the middle generation
        "gc.disable()\nloop = asyncio.new_event_loop()\nasync def main():\n"
        "    await native.hop(); gc.collect(0)\n    tasks = load(); await native.hop(); await end(tasks)\n"
        "loop.run_until_complete(main())\ndel loop\ngc.collect()",
        0,
        [],
    ),
    "loops collected unclosed, with all that waits for them": (
        "import logging, warnings, weakref\nwarnings.simplefilter('ignore'); logging.disable(logging.CRITICAL)\n"
        "def leave(make):\n    loop = make()\n    async def main():\n        begun = []\n"
        "        async def sleep(): begun.append(1); await asyncio.sleep(3600)\n"
        "        tasks = [asyncio.ensure_future(native.forever()), asyncio.ensure_future(native.await_it(sleep()))]\n"
        "        tasks.append(native.hot_await_many(sleep))\n"
        "        while len(begun) < 2: await native.hop()\n        tasks[0].add_done_callback(lambda _: tasks)\n"
        "    loop.run_until_complete(main())\n    return weakref.ref(loop)\n"
        "for make in asyncio.new_event_loop, native.EventLoop:\n"
        "    loops = [leave(make) for _ in range(10)]\n    before = len(os.listdir('/proc/self/fd'))\n"
        "    gc.collect(); gc.collect()\n    alive = sum(loop() is not None for loop in loops)\n"
        "    assert alive == 0, (make, alive)\n    assert len(os.listdir('/proc/self/fd')) < before",
        0,
        [],
    ),
    "awaiting on a closed loop": (
        "loop = asyncio.new_event_loop()\nloop.close()\ncoro = native.hop()\n"
        "try: loop.run_until_complete(coro)\nexcept RuntimeError as e: print(e)\ncoro.close()",
        0,
        [],
    ),
    "the runtime stopped": (
        "async def main():\n    tasks = load(); await native.hop()\n    native.shutdown(0)\n"
        "    [t.cancel() for t in tasks]\n    await asyncio.wait([*tasks, *kept], timeout=20)\n"
        "    assert all(f.done() for f in [*tasks, *kept])\n"
        "    said = 'the runtime was shut down; create a new one or call before shutdown() [bridge:4]'\n"
        "    assert errors_of([*tasks, *kept]) == {said}, errors_of([*tasks, *kept])\nasyncio.run(main())",
        0,
        [],
    ),
    "the runtime stopped and begun again": (
        "async def main():\n    tasks = load(); await native.hop()\n    native.shutdown(0)\n"
        "    [t.cancel() for t in tasks]\n    await asyncio.wait([*tasks, *kept], timeout=20)\n    errors_of([*tasks, *kept])\n    await loaded()\nasyncio.run(main())",
        0,
        [],
    ),
    "awaitables dropped": (
        "async def main():\n    tasks = load(); await native.hop(); kept.clear(); gc.collect()\n"
        "    for _ in range(10): await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "never awaited": ("native.hop()", 0, ["RuntimeWarning: coroutine 'hop' was never awaited"]),
    "no loop": (
        "try: native.hot_forever()\nexcept RuntimeError as e: assert 'no asyncio event loop runs on this thread' in str(e), e\n"
        "else: raise AssertionError('no error')",
        0,
        [],
    ),
    "an exception in a drain": (
        "def raise_there(loop, context): raise ValueError('in the handler')\n"
        "def fail(future): raise KeyError('in a callback')\n"
        "async def main():\n    await loaded()\n    asyncio.get_running_loop().set_exception_handler(raise_there)\n"
        "    f = native.hot_spin(10); f.add_done_callback(fail)\n    await f\n    await asyncio.sleep(0.01)\nasyncio.run(main())",
        0,
        ["in a callback", "in the handler"],
    ),
    "an exit handler that uses it": ("atexit.register(lambda: asyncio.run(native.hop()))\nasyncio.run(loaded())", 0, []),
    "a native thread that does not come back": (
        "async def main():\n    await loaded()\n    global deaf\n    deaf = native.hot_block(2500)\n"
        "    for _ in range(3): await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "native threads that hold the GIL": (
        "async def main():\n    await loaded()\n    global holding\n"
        "    holding = [native.hot_hold_gil(lambda: None) for _ in range(4)]\n    for _ in range(3): await native.hop()\n"
        "asyncio.run(main())",
        0,
        [],
    ),
    "a native thread that sleeps in Python": (
        "async def main():\n    await loaded()\n    global asleep\n    asleep = native.hot_hold_gil(lambda: time.sleep(30))\n"
        "    for _ in range(3): await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "a native thread that computes in Python": (
        "def compute():\n    begun.set()\n    while True: pass\n"
        "async def main():\n    await loaded()\n    global begun, computing\n    begun = threading.Event()\n"
        "    computing = native.hot_compute_in_python(compute)\n    await asyncio.to_thread(begun.wait)\nasyncio.run(main())",
        0,
        [],
    ),
    "a native thread that computes in Python and catches all": (
        "def compute():\n    while True:\n        try:\n            begun.set()\n            sorted(range(1000))\n"
        "        except BaseException: print('caught', file=sys.stderr)\n        finally: begun.is_set()\n"
        "async def main():\n    await loaded()\n    global begun, computing\n    begun = threading.Event()\n"
        "    computing = native.hot_compute_in_python(compute)\n    await asyncio.to_thread(begun.wait)\nasyncio.run(main())",
        0,
        [],
    ),
    "a native thread that comes back to Python when that has gone": (
        "lock = threading.Lock()\nlock.acquire()\n"
        "class Gone:\n    def __del__(self, release=lock.release, sleep=time.sleep):\n        release()\n        sleep(0.1)\n"
        "gone = Gone()\n"
        "async def main():\n    await loaded()\n    global waiting\n    waiting = native.hot_wait_in_python(lock.acquire)\n"
        "    for _ in range(3): await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "a native thread that ends inside Python": ("native.end_a_thread_inside()\nasyncio.run(loaded())", 0, []),
    "a runtime that ends with the statics": (
        "async def main():\n    await loaded()\n    global more\n    more = native.hot_static_spin(10**9)\n    await native.hop()\n"
        "asyncio.run(main())",
        0,
        [],
    ),
    "a runtime that ends with the statics and is inside Python until then": (
        "async def main():\n    await loaded()\n    global more\n"
        "    more = [native.hot_static_await_many(lambda: asyncio.sleep(0)) for _ in range(4)]\n"
        "    more += [native.hot_static_hold_gil(lambda: None) for _ in range(2)]\n"
        "    for _ in range(4): await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "a cycle with work in it": (
        "async def main():\n    await loaded()\n    ring = []; ring.append([native.hot_forever(), ring])\nasyncio.run(main())",
        0,
        [],
    ),
    "consecutive runs": ("for _ in range(3): asyncio.run(loaded())", 0, []),
    "loops leave no descriptor behind": (
        "def count(): gc.collect(); return len(os.listdir('/proc/self/fd'))\n"
        "asyncio.run(native.hop()); before = count()\n"
        "for _ in range(20): asyncio.run(native.hop())\n"
        # a native thread may be about to let go of the last loop's
        "while count() > before: os.sched_yield()",
        0,
        [],
    ),
    "two loops in two threads": (
        "async def main():\n    mine = [native.hot_spin(10**9) for _ in range(4)]\n    for _ in range(10): await native.hop()\n"
        "threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)]\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]",
        0,
        [],
    ),
    "a subprocess meanwhile": (
        "import subprocess\nasync def main():\n    await loaded()\n"
        "    p = await asyncio.create_subprocess_exec(sys.executable, '-c', 'print(1)', stdout=subprocess.PIPE)\n"
        "    assert (await p.communicate())[0] == b'1\\n'\nasyncio.run(main())",
        0,
        [],
    ),
    "os.execv": (
        "async def main():\n    await loaded()\n    os.execv(sys.executable, [sys.executable, '-c', 'print(1)'])\nasyncio.run(main())",
        0,
        [],
    ),
    "a coroutine driven by hand and kept": (
        "kept = native.await_it(asyncio.sleep(0))\nkept.send(None)",
        0,
        [],
    ),
    "a sub-interpreter is refused in words": (
        "if native.pybind11_major >= 3 and sys.version_info < (3, 12): sys.exit()  # pybind11 waits for itself there\n"
        "try: import _interpreters as interpreters\nexcept ImportError: import _xxsubinterpreters as interpreters\n"
        "asyncio.run(loaded())\nchild = interpreters.create()\n"
        "failed = interpreters.run_string(child, '''\ntry:\n    import lifetime_native as native\n    native.hop()\n"
        "except ImportError as e: assert 'subinterpreters' in str(e), e  # Python itself, since 3.12\n"
        "except RuntimeError as e: assert 'this is a sub-interpreter' in str(e), e\n"
        "else: raise AssertionError('no error')\n''')\nassert failed is None, failed\n"
        "interpreters.destroy(child)\nasyncio.run(native.hop())",
        0,
        [],
    ),
}

# Where a daemon thread may be when it computes for ever and Python ends.
COMPUTING = {
    "a function that native code calls": "await native.call(compute)",
    "what native code calls itself": "await native.call_plain(compute)",
    "the conversion of an argument": "await native.call_with_computed(compute)",
    "a task that may be eager": "be_eager(); await native.hot_await_many(eager)",
    "the loop's exception handler": "native.hot_spin(1).add_done_callback(fail); await native.forever()",
    "a conversion to C++": "await native.await_number(asyncio.sleep(0, Number()))",
    "a plain function of C++ that calls Python": "await native.call_at_once(compute)",
}
LOOPS = {
    "the same-thread loop": "native.EventLoop()",
    "asyncio": "asyncio.new_event_loop()",
    "uvloop": "__import__('uvloop').new_event_loop()",
}
DAEMONS = {
    kind: {
        f"a daemon thread of {kind} in {where}": (
            f"async def main(): {program}\n"
            "class Number: __index__ = lambda self: compute()\n"
            "async def eager(): compute()\n"
            "def be_eager():\n    loop = asyncio.get_running_loop()\n"
            # uvloop's create_task gives the factory what that of 3.13.0 does not take
            "    if not type(loop).__module__.startswith('uvloop'):\n"
            "        loop.set_task_factory(getattr(asyncio, 'eager_task_factory', None))\n"
            "def fail(future): raise KeyError\n"
            "def compute():\n    begun.set()\n    while True: pass\n"
            "begun = threading.Event()\n"
            f"def run():\n    loop = {loop}\n    loop.set_exception_handler(lambda *_: compute())\n"
            "    loop.run_until_complete(main())\n"
            "threading.Thread(target=run, daemon=True).start()\nassert begun.wait(20)",
            0,
            [],
        )
        for where, program in COMPUTING.items()
    }
    for kind, loop in LOOPS.items()
}

UVLOOP = {
    "uvloop": ("import uvloop\nloop = uvloop.new_event_loop()\nasync def main():\n    tasks = load(); await native.hop()\n"
               "    await end(tasks)\nloop.run_until_complete(main())\nloop.close()", 0, []),
    "uvloop by bridge run": ("import uvloop, warnings\nwarnings.simplefilter('ignore')  # policies are deprecated from 3.14 on\n"
                             "asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())\n"
                             "async def main(): await loaded()\nnative.run(main())", 0, []),
}


class Ends(Programs):
    def test_a_script_that_awaits_one_operation(self):
        self.check("import asyncio, lifetime_native as native\nassert asyncio.run(native.hop()) == 1", rounds=SHORT_ROUNDS)


if FREE_THREADED and sys.version_info < (3, 14):  # the same in pure Python sometimes does not end there
    del ENDS["daemon threads that make loops"]
add_cases(Ends, ENDS, HEAD)
add_cases(Ends, DAEMONS["the same-thread loop"], HEAD)
add_cases(Ends, DAEMONS["asyncio"], HEAD)
try:
    import uvloop  # noqa: F401

    add_cases(Ends, UVLOOP, HEAD)
    add_cases(Ends, DAEMONS["uvloop"], HEAD)
except ImportError:
    pass

if __name__ == "__main__":
    unittest.main()
