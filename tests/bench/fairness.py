# SPDX-License-Identifier: Apache-2.0
"""Fairness (P8): how late one side's timers are while the other always has something due, on our loop; and
asyncio's on its own loop while eight native threads complete. Prints, decides nothing."""

import asyncio
import statistics
import sys
import time

import bench_crossings as native
import bridge_asyncio

TIMERS = 300
WIDTH = 58
TIMER = "p99 of a timer on asyncio's loop, ms"


def compute(microseconds):
    end = time.perf_counter() + microseconds / 1e6
    while time.perf_counter() < end:
        pass


class BusyPython:
    """Callbacks that are due in each turn of the loop, and how long the turns are."""

    def __init__(self, callbacks, microseconds):
        self.loop = asyncio.get_running_loop()
        self.work = [microseconds] * callbacks
        self.goes_on = True
        self.turns = []
        self.last = time.perf_counter()
        for each in self.work:
            self.loop.call_soon(self.run, each)
        self.loop.call_soon(self.turn)

    def run(self, microseconds):
        compute(microseconds)
        if self.goes_on:
            self.loop.call_soon(self.run, microseconds)

    def turn(self):
        now = time.perf_counter()
        self.turns.append(now - self.last)
        self.last = now
        if self.goes_on:
            self.loop.call_soon(self.turn)


async def lateness(sleep_until):
    late = []
    for _ in range(TIMERS):
        when = time.monotonic() + 0.001
        await sleep_until(when)
        late.append(time.monotonic() - when)
    return late


async def python_until(when):
    loop = asyncio.get_running_loop()
    due = loop.create_future()
    loop.call_at(when, due.set_result, None)
    await due


async def native_timers_beside_python(callbacks, microseconds):
    busy = BusyPython(callbacks, microseconds)
    late = await lateness(native.sleep_until)
    busy.goes_on = False
    return late, busy.turns


async def python_timers_beside_native(tasks, microseconds):
    working = [asyncio.ensure_future(native.spin(microseconds)) for _ in range(tasks)]
    await asyncio.sleep(0.01)
    late = await lateness(python_until)
    turns = []
    for _ in range(TIMERS):  # a callback that is asked for runs in the next turn
        asked = time.perf_counter()
        await asyncio.sleep(0)
        turns.append(time.perf_counter() - asked)
        await python_until(time.monotonic() + 0.001)
    for one in working:
        one.cancel()
    await asyncio.wait(working)
    return late, turns


THREADS = 8


async def python_timers_beside_threads(complete, busy=False):
    """Eight threads that complete what Python awaits, or that only spin, beside an idle loop or a busy one."""
    goes_on = True
    spinning = None if complete else native.Spinners(THREADS)

    async def await_again_and_again():
        while goes_on:
            await native.hop()

    tasks = [asyncio.create_task(await_again_and_again()) for _ in range(8 * THREADS if complete else 0)]
    callbacks = BusyPython(int(busy), 10)
    callbacks.goes_on = busy
    await asyncio.sleep(0.05)
    late = await lateness(python_until)
    goes_on = callbacks.goes_on = False
    await asyncio.gather(*tasks)
    del spinning
    return p99(late)


def show_threads():
    spun, busy, completed = (asyncio.run(python_timers_beside_threads(*words))
                             for words in ((False,), (False, True), (True,)))
    print(f"\n{TIMER:{WIDTH}}")
    print(f"{f'   {THREADS} threads spin, the loop is idle':{WIDTH}} {spun * 1e3:8.3f}")
    print(f"{f'   {THREADS} threads spin, the loop is busy with Python':{WIDTH}} {busy * 1e3:8.3f}")
    print(f"{f'P8 {THREADS} threads complete what Python awaits':{WIDTH}} {completed * 1e3:8.3f} {'':8} {completed / spun:8.2f}"
          "  (<= 1.5 of the first)", flush=True)


def p99(values):
    return statistics.quantiles(values, n=100)[98]


def show(name, late, turns):
    print(f"{name:{WIDTH}} {p99(late) * 1e3:8.3f} {p99(turns) * 1e3:8.3f} {p99(late) / p99(turns):8.2f}  (<= 2)", flush=True)


def main():
    native.init(THREADS)
    print(f"{'fairness, same-thread loop: p99':{WIDTH}} {'late, ms':>8} {'turn, ms':>8} {'ratio':>8}")
    for count, microseconds in ((1, 10), (8, 100), (200, 20)):
        name = f"P8 native timer, {count} callbacks of {microseconds} us always due"
        show(name, *bridge_asyncio.run(native_timers_beside_python(count, microseconds)))
    for count, microseconds in ((1, 1), (8, 20), (200, 20)):
        name = f"P8 asyncio timer, {count} native coroutines of {microseconds} us always due"
        show(name, *bridge_asyncio.run(python_timers_beside_native(count, microseconds)))
    show_threads()


if __name__ == "__main__":
    sys.exit(main())
