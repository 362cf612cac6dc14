# SPDX-License-Identifier: Apache-2.0
"""The crossings against plain asyncio, round by round in one run; prints ratios, decides nothing."""

import asyncio
import gc
import statistics
import sys
import time

import bench_crossings as native
import bridge_asyncio

ROUNDS = 9


async def noop():
    return 1


async def timed(count, body):
    gc.collect()
    start = time.perf_counter()
    await body(count)
    return (time.perf_counter() - start) / count


def in_tasks(tasks, one):
    async def body(count):
        async def worker():
            for _ in range(count // tasks):
                await one()

        await asyncio.gather(*(worker() for _ in range(tasks)))

    return body


def call_soon_future():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, None)
    return future


async def r1_seq(count):
    for _ in range(count):
        await call_soon_future()


async def r2(count):
    for _ in range(count):
        await noop()


async def r3(count):
    loop = asyncio.get_running_loop()

    def from_thread():
        waiting = []
        for _ in range(count):
            waiting.append(asyncio.run_coroutine_threadsafe(noop(), loop))
            if len(waiting) == 64:
                waiting.pop(0).result()
        for one in waiting:
            one.result()

    await loop.run_in_executor(None, from_thread)


async def p1_ready(count):
    ready = native.ready
    for _ in range(count):
        await ready()


async def p1_member(count):
    counter = native.Counter()
    for _ in range(count):
        await counter.add(step=1)


async def gather_plain(count):
    await asyncio.gather(*(noop() for _ in range(count)))


async def gather_hot(count):
    await asyncio.gather(*(native.hot_hop() for _ in range(count)))


async def gather_lazy(count):
    await asyncio.gather(*(native.hop() for _ in range(count)))


async def p4_delegated(count):
    await native.await_python(noop, count)


async def p4_window(count):
    await native.await_window([noop() for _ in range(count)], 64)


R1_ONE, R1_MANY = "R1 call_soon future, 1 task", "R1 call_soon future, 64 tasks"
R2, R3 = "R2 await noop()", "R3 run_coroutine_threadsafe, window 64"
GATHER = "gather of 10,000 plain coroutines"

# name, operations, body, (reference, bar) or None, on the same-thread host?
CASES = [
    (R1_ONE, 20000, r1_seq, None, False),
    (R1_MANY, 20000, in_tasks(64, call_soon_future), None, False),
    (R2, 100000, r2, None, False),
    (R3, 5000, r3, None, False),
    (GATHER, 10000, gather_plain, None, False),
    ("P1 ready, no arguments", 100000, p1_ready, (R2, 2.6), False),
    ("P1 ready, member with a keyword", 100000, p1_member, (R2, 4.0), False),
    ("P3 one hop, 64 tasks", 20000, in_tasks(64, native.hop), (R1_MANY, 2.0), False),
    ("P3 gather of 10,000, hot", 10000, gather_hot, (R1_MANY, 0.8), False),
    ("P3 gather of 10,000, lazy", 10000, gather_lazy, (GATHER, 1.7), False),
    ("P4 C++ awaits Python, delegated", 50000, p4_delegated, (R2, 5.0), False),
    ("P4 from a background thread, window 64", 5000, p4_window, (R3, 0.25), False),
    ("same-thread: R1, 1 task", 20000, r1_seq, (R1_ONE, None), True),
    ("same-thread: P1 ready, no arguments", 100000, p1_ready, (R2, 2.6), True),
    ("same-thread: P1 ready, member with a keyword", 100000, p1_member, (R2, 4.0), True),
    ("same-thread: P2 one suspend, 1 task", 20000, in_tasks(1, native.hop), (R1_ONE, 0.40), True),
    ("same-thread: P2 one suspend, 64 tasks", 20000, in_tasks(64, native.hop), (R1_MANY, 0.55), True),
    ("same-thread: gather of 10,000, hot", 10000, gather_hot, (R1_MANY, None), True),
    ("same-thread: gather of 10,000, lazy", 10000, gather_lazy, (GATHER, None), True),
    ("same-thread: P4 C++ awaits Python, delegated", 50000, p4_delegated, (R2, 5.0), True),
    ("same-thread: P4 window 64", 5000, p4_window, (R3, None), True),
]


def measure(rounds, only):
    loops = asyncio.new_event_loop(), bridge_asyncio.new_event_loop()
    seconds = {name: [] for name, *_ in CASES}
    for round_number in range(rounds + 1):
        for name, count, body, _, same_thread in CASES:
            if only and not any(word in name for word in only):
                continue
            taken = loops[same_thread].run_until_complete(timed(count, body))
            if round_number > 0:  # the first one warms up
                seconds[name].append(taken)
    for loop in loops:
        loop.close()
    return seconds


def ratio_text(runs, others, reference):
    if reference is None or not others:
        return ""
    name, bar = reference
    ratio = statistics.median(a / b for a, b in zip(runs, others))
    return f" {ratio:6.2f} {f'(<= {bar:g})' if bar else '':9} of {name}"


def main():
    seconds = measure(ROUNDS, sys.argv[1:])
    print(f"{'case':46} {'ns/op':>9} {'min..max':>17}  ratio (bar)")
    for name, _, _, reference, _ in CASES:
        runs = seconds[name]
        if runs:
            print(
                f"{name:46} {statistics.median(runs) * 1e9:9.0f} {min(runs) * 1e9:8.0f}..{max(runs) * 1e9:<8.0f}"
                + ratio_text(runs, seconds[reference[0]] if reference else None, reference)
            )


if __name__ == "__main__":
    sys.exit(main())
