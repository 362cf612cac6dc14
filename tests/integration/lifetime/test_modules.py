# SPDX-License-Identifier: Apache-2.0
"""Two extension modules in one process, each with its own copy of the library."""

import unittest

from programs import Programs, add_cases

ORDERS = {
    "one first": "import asyncio, lifetime_native as one, lifetime_other as two\n",
    "the other first": "import asyncio, lifetime_other as two, lifetime_native as one\n",
}

CASES = {
    "each has a default runtime of its own": "assert one.runtime_id() != two.runtime_id()",
    "one shuts its own down": (
        "asyncio.run(one.hop()); before = one.runtime_id(); others = two.runtime_id(); assert one.shutdown(1000)\n"
        "assert two.runtime_id() == others\nassert one.runtime_id() != before\n"
        "asyncio.run(one.hop()); asyncio.run(two.hop())"
    ),
    "options given by one hold for both": (
        "import os\n"
        "threads = lambda: len(os.listdir('/proc/self/task'))\n"
        "one.init(threads=3); before = threads(); asyncio.run(two.hop()); assert threads() - before == 3\n"
        "try: two.init(threads=2)\n"
        "except Exception as e: assert 'already running in this program or module' in str(e), e\n"
        "else: raise AssertionError('no error')"
    ),
    "locals found across modules": (
        "async def main():\n"
        "    loop = asyncio.get_running_loop()\n"
        "    assert await one.call_plain(two.loop_of_current_locals) is loop\n"
        "    assert await two.call_plain(one.loop_of_current_locals) is loop\n"
        "asyncio.run(main())"
    ),
    "each awaits the other": (
        "async def main():\n"
        "    assert await one.await_it(two.await_it(one.hop())) == 1\n"
        "    assert await asyncio.gather(*(two.await_it(one.hop()) for _ in range(50))) == [1] * 50\n"
        "asyncio.run(main())"
    ),
    "an exception type that the other has registered": (
        "two.register_shared()\n"
        "async def main():\n"
        "    try: await one.throw_shared()\n"
        "    except two.SharedFailure as e: assert str(e) == 'thrown by one, known by the other'\n"
        "    else: raise AssertionError('no error')\n"
        "asyncio.run(main())"
    ),
    "one awaitable type": "a, b = one.hop(), two.hop(); assert type(a) is type(b); a.close(); b.close()",
    "an orderly exit with work of both under way": (
        "async def main():\n"
        "    global kept\n"
        "    kept = [m.hot_spin(10**8) for m in (one, two) for _ in range(4)]\n"
        "    kept += [m.hot_await_many(lambda: asyncio.sleep(0)) for m in (one, two)]\n"
        "    await asyncio.gather(one.hop(), two.hop())\n"
        "asyncio.run(main())"
    ),
    "a runtime that one shuts down leaves the work of the other alone": (
        "async def main():\n"
        "    task, ended = asyncio.create_task(two.forever()), asyncio.create_task(one.forever())\n"
        "    await one.hop()\n"
        "    assert one.shutdown(0)\n"
        "    try: await ended\n"
        "    except RuntimeError as e: assert 'runtime was shut down' in str(e), e\n"
        "    else: raise AssertionError('no error')\n"
        "    await two.hop(); assert not task.done(); task.cancel()\n"
        "    assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)\n"
        "asyncio.run(main())"
    ),
}


class Modules(Programs):
    def test_another_version_is_told_and_keeps_to_itself(self):
        self.check(
            "import asyncio, lifetime_stranger\nlifetime_stranger.leave_mark()\n"
            "import lifetime_native as one\nassert asyncio.run(one.hop()) == 1",
            words=[
                "RuntimeWarning: this module was built with bridge 0.1.0",
                "with bridge 0.0.9 (ABI 0): each keeps to itself",
            ],
            rounds=1,
        )


for order, head in ORDERS.items():
    add_cases(Modules, {f"{name}, {order}": (program, 0, []) for name, program in CASES.items()}, head)

if __name__ == "__main__":
    unittest.main()
