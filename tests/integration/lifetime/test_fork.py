# SPDX-License-Identifier: Apache-2.0
"""fork() with native threads at work: the child uses the bridge afresh, or is refused in words."""

import sys
import unittest

from programs import Programs, add_cases
from test_ends import HEAD as LOAD

HEAD = (
    LOAD
    + """
import warnings
warnings.filterwarnings('ignore', '.*is multi-threaded', DeprecationWarning)  # since Python 3.12
def fork(child):
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            child()
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid
def join(pid, code=0):
    for _ in range(2000):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done: break
        time.sleep(0.01)
    else:
        os.kill(pid, signal.SIGKILL)
        raise AssertionError('the child hangs')
    assert os.waitstatus_to_exitcode(status) == code, status
def in_thread(run):
    failed = []
    def call():
        try: run()
        except BaseException as e: failed.append(e)
    t = threading.Thread(target=call); t.start(); t.join()
    if failed: raise failed[0]
def refused(make, words):
    try: make()
    except RuntimeError as e: assert words in str(e), e
    else: raise AssertionError('no error')
"""
)

FORKS = {
    "a child that leaves at once": (
        "async def main():\n    await loaded()\n    join(fork(lambda: None))\n    await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "children while native threads enter Python for the first time": (
        "asyncio.run(native.hop())\nthreads = native.Newcomers(); threads.start(3)\n"
        "for _ in range(200): join(fork(lambda: None))\nthreads.stop()",
        0,
        [],
    ),
    "a child that uses it afresh": (
        "def child():\n    assert asyncio.run(native.hop()) == 1\n    asyncio.run(loaded())\n"
        "async def main():\n    await loaded()\n    join(fork(child))\n    await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "a child of a program whose loop is not running": (
        "asyncio.run(loaded())\njoin(fork(lambda: asyncio.run(loaded())))\nasyncio.run(native.hop())",
        0,
        [],
    ),
    "a child that ends as programs do": (
        "asyncio.run(loaded())\npid = os.fork()\nif pid == 0: asyncio.run(loaded())\nelse: join(pid)",
        0,
        [],
    ),
    "a child that only ends": ("asyncio.run(loaded())\npid = os.fork()\nif pid: join(pid)", 0, []),
    "a child of a child": (
        "def grandchild(): asyncio.run(loaded())\ndef child():\n    asyncio.run(loaded())\n    join(fork(grandchild))\n"
        "    asyncio.run(native.hop())\nasyncio.run(loaded())\njoin(fork(child))",
        0,
        [],
    ),
    "eight children at once": (
        "async def main():\n    await loaded()\n    pids = [fork(lambda: asyncio.run(native.hop())) for _ in range(8)]\n"
        "    for _ in range(10): await native.hop()\n    [join(pid) for pid in pids]\nasyncio.run(main())",
        0,
        [],
    ),
    "a child with a runtime of the parent's": (
        "async def main():\n    await loaded()\n    more = native.hot_static_spin(10)\n    await more\n"
        "    def child():\n        async def inside():\n            await native.hot_static_spin(10)\n"
        "        refused(lambda: asyncio.run(inside()), 'this process was forked')\n"
        "    join(fork(child))\n    await native.hot_static_spin(10)\nasyncio.run(main())",
        0,
        [],
    ),
    "a child with a loop of the parent's": (
        "loop = asyncio.new_event_loop()\nloop.run_until_complete(native.hop())\n"
        "def child(): refused(lambda: loop.run_until_complete(native.hop()), 'this process was forked')\n"
        "join(fork(child))\nassert loop.run_until_complete(native.hop()) == 1\nloop.close()",
        0,
        [],
    ),
    "a child with a same-thread loop of the parent's": (
        "loop = native.EventLoop()\nloop.run_until_complete(native.hop())\n"
        "def child():\n    refused(lambda: loop.run_until_complete(native.hop()), 'this process was forked')\n"
        "    loop.run_until_complete(asyncio.sleep(0.01))\n    loop.close()\n"
        "join(fork(child))\nassert loop.run_until_complete(native.hop()) == 1\nloop.close()",
        0,
        [],
    ),
    "a child with a future of the parent's": (
        "async def main():\n    tasks = load()\n    await native.hop()\n    def child():\n        async def inside():\n"
        "            await kept[0]\n        refused(lambda: asyncio.run(inside()), 'attached to a different loop')\n"
        "    join(fork(child))\n    [t.cancel() for t in tasks]\nasyncio.run(main())",
        0,
        [],
    ),
    "a child that drops what the parent awaits": (
        "async def main():\n    await loaded()\n    def child():\n        kept.clear()\n        gc.collect()\n"
        "        asyncio.run(native.hop())\n    join(fork(child))\n    await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "a child with a runtime of the parent's that has one thread": (
        "asyncio.run(native.static_thread_hop())\ndef child():\n"
        "    for _ in range(2): refused(lambda: asyncio.run(native.static_thread_hop()), 'this process was forked')\n"
        "join(fork(child))\nassert asyncio.run(native.static_thread_hop()) == 1",
        0,
        [],
    ),
    "a child on the same-thread loop": (
        "def child():\n    loop = native.EventLoop()\n    assert loop.run_until_complete(native.hop()) == 1\n    loop.close()\n"
        "async def main():\n    await loaded()\n    join(fork(child))\nasyncio.run(main())",
        0,
        [],
    ),
    "a child with a coroutine that the parent made and did not start": (
        "asyncio.run(loaded())\ncoro = native.hop()\njoin(fork(lambda: asyncio.run(coro)))\nassert asyncio.run(coro) == 1",
        0,
        [],
    ),
    "a child forked by a thread": (
        "async def main():\n    await loaded()\n    child = lambda: asyncio.run(native.hop())\n"
        "    await asyncio.get_running_loop().run_in_executor(None, lambda: join(fork(child)))\nasyncio.run(main())",
        0,
        [],
    ),
    "multiprocessing by fork": (
        "import multiprocessing\ndef child(): asyncio.run(loaded())\n"
        "async def main():\n    await loaded()\n    p = multiprocessing.get_context('fork').Process(target=child)\n"
        "    p.start(); p.join(30)\n    assert p.exitcode == 0, p.exitcode\n    await native.hop()\nasyncio.run(main())",
        0,
        [],
    ),
    "a pool by fork": (
        "import multiprocessing\ndef child(n): return n + asyncio.run(native.hop())\nasyncio.run(loaded())\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool: assert pool.map(child, range(10)) == list(range(1, 11))\n"
        "asyncio.run(native.hop())",
        0,
        [],
    ),
    "multiprocessing by spawn": (
        "import multiprocessing, lifetime_child\n"
        "async def main():\n    await loaded()\n    p = multiprocessing.get_context('spawn').Process(target=lifetime_child.hop)\n"
        "    p.start(); p.join(30)\n    assert p.exitcode == 0, p.exitcode\nasyncio.run(main())",
        0,
        [],
    ),
}


# On the parent's loop, which is busy with handlers of its own when it forks.
EXECUTORS = {
    f"a child with an executor of the parent's {kind} loop": (
        "def child():\n    for there in native.post_there, native.spawn_there, native.post_there:\n"
        "        refused(lambda: asyncio.run(asyncio.wait_for(there(), 20)), 'this process was forked')\n"
        "    asyncio.run(native.sleep_there())\n"
        "async def main():\n    native.keep_executor(asyncio.get_running_loop())\n    tasks = load(); await native.hop()\n"
        "    join(fork(lambda: in_thread(child)))\n"
        "    await native.post_there(); await native.spawn_there(); await native.sleep_there()\n"
        f"    await end(tasks)\nloop = {loop}()\nloop.run_until_complete(main())\nloop.close()",
        0,
        [],
    )
    for kind, loop in (("asyncio", "asyncio.new_event_loop"), ("same-thread", "native.EventLoop"))
}


FIRST_STEP = {
    "a child that exits in the first step of what native code awaits": (
        "async def main():\n    pid = os.fork()\n    if pid == 0: sys.exit(5)\n    join(pid, 5)\n    await native.hop()\n"
        "native.run(main())",
        0,
        [],
    ),
}

# Two tasks are woken by one drain; the first forks, and the child ends the run before the second's turn.
TOGETHER = {
    f"a child that exits before the turn of a task that is woken, {kind}": (
        "both = is_child = False\n"
        "async def other():\n    try: await native.hop()\n"
        "    except asyncio.CancelledError:\n        if is_child: os.write(told, b'told')\n        raise\n"
        "def let_both_arrive():\n    global both\n    while native.queued() < 2 and not task.done(): pass\n"
        "    both = not task.done()  # else one had ended before it had to wait\n"
        "async def main():\n    global is_child, told, task\n    task = asyncio.ensure_future(other())\n"
        "    asyncio.get_running_loop().call_soon(let_both_arrive)\n    await native.hop()\n"
        "    if not both or task.done(): return await task  # it was first\n"
        "    ends, told = os.pipe()\n    pid = os.fork()\n    is_child = pid == 0\n    if is_child: sys.exit(5)\n"
        "    join(pid, 5)\n    assert os.read(ends, 4) == b'told'\n    await task\n"
        f"{run}",
        0,
        [],
    )
    for kind, run in (("asyncio.run", "asyncio.run(main())"), ("bridge run", "native.run(main())"))
}

# From inside its running loop, which then cancels its tasks and waits for them.
EXITS = {
    f"a child that exits inside the parent's {kind}": (
        "async def main():\n    tasks = load()\n"
        "    tasks += [asyncio.ensure_future(t) for t in (native.forever(), native.await_it(asyncio.sleep(3600)))]\n"
        "    tasks.append(asyncio.ensure_future(native.await_it(native.forever())))\n"
        "    async def patient():\n        try: await native.forever()\n"
        "        except asyncio.CancelledError: os.write(1, b'told') if is_child else None; raise\n"
        "    is_child = False\n    tasks.append(asyncio.ensure_future(patient()))\n    await native.hop()\n"
        "    ends, told = os.pipe()\n    pid = os.fork()\n    is_child = pid == 0\n"
        "    if is_child:\n        os.dup2(told, 1)\n        sys.exit(5)\n"
        "    join(pid, 5)\n    assert os.read(ends, 4) == b'told'\n    await native.hop()\n    await end(tasks)\n"
        "def run_in(loop):\n    try: loop.run_until_complete(main())\n    finally:\n        tasks = asyncio.all_tasks(loop)\n"
        "        for t in tasks: t.cancel()\n        if tasks: loop.run_until_complete(asyncio.wait(tasks))\n        loop.close()\n"
        f"{run}",
        0,
        [],
    )
    for kind, run in (
        ("asyncio.run", "asyncio.run(main())"),
        ("bridge run", "native.run(main())"),
        ("same-thread loop", "run_in(native.EventLoop())"),
    )
}


class Forks(Programs):
    pass


add_cases(Forks, FORKS, HEAD)
add_cases(Forks, EXECUTORS, HEAD)
if sys.version_info < (3, 14):  # later the child has no running loop, and asyncio itself waits there for ever
    add_cases(Forks, FIRST_STEP, HEAD)
    add_cases(Forks, TOGETHER, HEAD)
    add_cases(Forks, EXITS, HEAD)

if __name__ == "__main__":
    unittest.main()
