# SPDX-License-Identifier: Apache-2.0
"""The rows of the table of crossings: what is timed, of what it is a multiple, and the bars."""

import asyncio
from typing import NamedTuple

import bench_crossings as native
from references import (call_soon_future, cancel_futures, gathered, in_batches, in_tasks, noop, numbers,
                        r1_one, r2, r3, r4, through_queue)


async def ready(count):
    one = native.ready
    for _ in range(count):
        await one()


async def member(count):
    counter = native.Counter()
    for _ in range(count):
        await counter.add(step=1)


async def delegated(count):
    await native.await_python(noop, count)


async def window(count):
    await native.await_window([noop() for _ in range(count)], 64)


async def in_flight(count):
    futures = [native.hot_park() for _ in range(count)]
    native.release()
    await asyncio.gather(*futures)


async def cancelled(count):
    futures = [native.hot_park() for _ in range(count)]
    for one in futures:
        one.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
    assert native.parked() == 0  # the native side has unwound


def stream_in(buffer):
    async def body(count):
        assert await native.consume(numbers(count), buffer) == count * (count - 1) // 2

    return body


async def stream_out(count):
    async for _ in native.count(count):
        pass


class Case(NamedTuple):
    name: str
    count: int
    body: object
    reference: str = ""  # the case on asyncio's loop that it is a multiple of; for P7 on its own loop
    bars: tuple = (None, None, None)  # the most of the reference, on each of LOOPS
    operation: str = ""  # the peers' name for it
    times: tuple = (None, None)  # how many times faster than the better peer: across threads, on one thread


LOOPS = "asyncio", "uvloop", "same-thread"
R1_ONE, R1_MANY = "R1 call_soon future, 1 task", "R1 call_soon future, 64 tasks"
R4 = "R4 async for, native generator"
R2, R3 = "R2 await noop()", "R3 run_coroutine_threadsafe, window 64"
GATHER, CANCEL = "gather of 10,000 plain coroutines", "create and cancel 10,000 Futures"
FLIGHT = "P7 1,000 in flight"

CASES = [
    Case(R1_ONE, 10000, r1_one),
    Case(R1_MANY, 20000, in_tasks(64, call_soon_future)),
    Case(R2, 100000, r2),
    Case(R3, 5000, r3),
    Case(R4, 100000, r4),
    Case("asyncio.Queue(64), an item", 20000, through_queue, R4),
    Case(GATHER, 10000, gathered(noop)),
    Case(CANCEL, 10000, cancel_futures),
    Case("P1 ready, no arguments", 50000, ready, R2, (2.6,) * 3, "ready", (100, 100)),
    Case("P1 ready, member with a keyword", 50000, member, R2, (4.0,) * 3, "ready", (100, 100)),
    Case("P2 one suspend, 1 task", 10000, in_tasks(1, native.hop), R1_ONE, (None, None, 0.40), "suspend, 1 task"),
    Case("P2/P3 one suspend, 64 tasks", 20000, in_tasks(64, native.hop), R1_MANY, (2.0, 2.0, 0.55),
         "suspend, 64 tasks", (8, None)),
    Case("P3 gather of 10,000, hot", 10000, gathered(native.hot_hop), R1_MANY, (0.8, 0.8, None), "gather", (8, 20)),
    Case("P3 gather of 10,000, lazy", 10000, gathered(native.hop), GATHER, (1.7, 1.7, None), "gather", (8, 20)),
    Case("P4 C++ awaits Python, delegated", 50000, delegated, R2, (5.0,) * 3, "await Python"),
    Case("P4 window 64", 5000, window, R3, (0.25,) * 3, "await Python, window"),
    Case("P5 stream into C++, buffer of 256", 50000, stream_in(256), R4, (10.0, 10.0, 4.0), "stream in"),
    Case("P5 stream into C++, buffer of 64", 20000, stream_in(64), R4, operation="stream in"),
    Case("P5 stream into C++, no buffer", 500, stream_in(0), R4, operation="stream in"),
    Case("P5 stream out of C++", 100000, stream_out, R4, (4.0,) * 3),
    Case(FLIGHT, 20000, in_batches(1000, in_flight), operation="1,000 in flight"),
    Case("P7 10,000 in flight", 20000, in_batches(10000, in_flight), FLIGHT, (1.3,) * 3),
    Case("P7 100,000 in flight", 100000, in_flight, FLIGHT, (1.3,) * 3),
    Case("P7 create and cancel 10,000", 10000, cancelled, CANCEL, (2.0,) * 3, "cancel", (3, 3)),
]


def reference_loop(case, loop):
    return loop if case.reference == FLIGHT else "asyncio"


def chosen(words):
    if not words:
        return CASES
    named = [case for case in CASES if any(word in case.name for word in words)]
    needed = {case.reference for case in named}
    return [case for case in CASES if case in named or case.name in needed]
