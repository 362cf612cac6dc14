# SPDX-License-Identifier: Apache-2.0
"""The crossings against plain asyncio, round by round in one run; prints ratios, decides nothing.

Words on the command line choose cases: `crossings.py P1 P3`. With --cpu it measures the processor
time of all threads instead of the time that passes: on one processor the same, but for what others
take of it."""

import asyncio
import gc
import statistics
import sys
import time
from typing import NamedTuple

import bench_crossings as native
import bridge_asyncio

ROUNDS = 9
HOSTS = "asyncio", "same-thread"


async def noop():
    return 1


def in_tasks(tasks, one):
    async def body(count):
        async def worker():
            for _ in range(count // tasks):
                await one()

        await asyncio.gather(*(worker() for _ in range(tasks)))

    return body


def in_batches(size, batch):
    async def body(count):
        for _ in range(count // size):
            await batch(size)

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


async def futures_in_flight(count):
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(count)]
    for one in futures:
        one.set_result(None)
    await asyncio.gather(*futures)


async def in_flight(count):
    futures = [native.hot_park() for _ in range(count)]
    native.release()
    await asyncio.gather(*futures)


async def cancel_futures(count):
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(count)]
    for one in futures:
        one.cancel()
    await asyncio.gather(*futures, return_exceptions=True)


async def cancel_crossings(count):
    futures = [native.hot_park() for _ in range(count)]
    for one in futures:
        one.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
    assert native.parked() == 0  # the native side has unwound


async def numbers(count):
    for i in range(count):
        yield i


async def r4(count):
    async for _ in numbers(count):
        pass


async def through_queue(count):
    queue = asyncio.Queue(64)

    async def produce():
        for i in range(count):
            await queue.put(i)

    task = asyncio.create_task(produce())
    for _ in range(count):
        await queue.get()
    await task


def p5_in(buffer):
    async def body(count):
        assert await native.consume(numbers(count), buffer) == count * (count - 1) // 2

    return body


async def p5_out(count):
    async for _ in native.count(count):
        pass


class Case(NamedTuple):
    name: str
    count: int
    body: object
    reference: str = ""  # the case on asyncio's loop that it is a multiple of; of its own host for P7
    bars: tuple = (None, None)  # one for each host


R1_ONE, R1_MANY = "R1 call_soon future, 1 task", "R1 call_soon future, 64 tasks"
R4 = "R4 async for, native generator"
R2, R3 = "R2 await noop()", "R3 run_coroutine_threadsafe, window 64"
GATHER, CANCEL = "gather of 10,000 plain coroutines", "create and cancel 10,000 Futures"
FLIGHT = "P7 1,000 in flight"

CASES = [
    Case(R1_ONE, 20000, r1_seq),
    Case(R1_MANY, 20000, in_tasks(64, call_soon_future)),
    Case(R2, 100000, r2),
    Case(R3, 5000, r3),
    Case(R4, 100000, r4),
    Case("asyncio.Queue(64), an item", 50000, through_queue, R4),
    Case(GATHER, 10000, gather_plain),
    Case(CANCEL, 10000, cancel_futures),
    Case("P1 ready, no arguments", 100000, p1_ready, R2, (2.6, 2.6)),
    Case("P1 ready, member with a keyword", 100000, p1_member, R2, (4.0, 4.0)),
    Case("P2 one suspend, 1 task", 20000, in_tasks(1, native.hop), R1_ONE, (None, 0.40)),
    Case("P2/P3 one suspend, 64 tasks", 20000, in_tasks(64, native.hop), R1_MANY, (2.0, 0.55)),
    Case("P3 gather of 10,000, hot", 10000, gather_hot, R1_MANY, (0.8, None)),
    Case("P3 gather of 10,000, lazy", 10000, gather_lazy, GATHER, (1.7, None)),
    Case("P4 C++ awaits Python, delegated", 50000, p4_delegated, R2, (5.0, 5.0)),
    Case("P4 window 64", 5000, p4_window, R3, (0.25, None)),
    Case("P5 stream into C++, buffer of 256", 100000, p5_in(256), R4, (10.0, 4.0)),
    Case("P5 stream into C++, buffer of 64", 20000, p5_in(64), R4),
    Case("P5 stream into C++, no buffer", 500, p5_in(0), R4),
    Case("P5 stream out of C++", 100000, p5_out, R4, (4.0, 4.0)),
    Case(FLIGHT, 20000, in_batches(1000, in_flight)),
    Case("P7 10,000 in flight", 20000, in_batches(10000, in_flight), FLIGHT, (1.3, 1.3)),
    Case("P7 100,000 in flight", 100000, in_flight, FLIGHT, (1.3, 1.3)),
    Case("P7 create and cancel 10,000", 10000, cancel_crossings, CANCEL, (2.0, 2.0)),
]


async def timed(clock, count, body):
    gc.collect()
    start = clock()
    await body(count)
    return (clock() - start) / count


def measure(cases, clock):
    loops = asyncio.new_event_loop(), bridge_asyncio.new_event_loop()
    seconds = {case.name: ([], []) for case in cases}
    for round_number in range(ROUNDS + 1):
        for case in cases:
            for loop, runs in zip(loops, seconds[case.name]):
                taken = loop.run_until_complete(timed(clock, case.count, case.body))
                if round_number > 0:  # the first one warms up
                    runs.append(taken)
    for loop in loops:
        loop.close()
    return seconds


def chosen(words):
    if not words:
        return CASES
    named = [case for case in CASES if any(word in case.name for word in words)]
    needed = {case.reference for case in named}
    return [case for case in CASES if case in named or case.name in needed]


def cell(case, host, seconds):
    runs = seconds[case.name][host]
    text = f"{statistics.median(runs) * 1e9:8.0f} {min(runs) * 1e9:7.0f}..{max(runs) * 1e9:<7.0f}"
    if not case.reference:
        return text + " " * 15
    others = seconds[case.reference][host if case.reference == FLIGHT else 0]
    ratio = statistics.median(a / b for a, b in zip(runs, others))
    bar = case.bars[host]
    return text + f"{ratio:6.2f} {f'<= {bar:g}' if bar else '':8}"


def main():
    words = sys.argv[1:]
    clock = time.process_time if "--cpu" in words else time.perf_counter
    cases = chosen([word for word in words if word != "--cpu"])
    seconds = measure(cases, clock)
    print("ns an operation: median min..max, its multiple of the reference, and the bar")
    print(f"{'':40}" + "".join(f"{host + ' loop':>17}{'':22}" for host in HOSTS) + "reference")
    for case in cases:
        cells = " ".join(cell(case, host, seconds) for host in range(len(HOSTS)))
        print(f"{case.name:40}{cells} {case.reference}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
