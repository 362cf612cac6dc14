# SPDX-License-Identifier: Apache-2.0
"""Streams that are long: what they leave behind, and how often they wake the loop.

`streams.py 10000000` takes so many items each way."""

import asyncio
import gc
import resource
import sys

import bench_crossings as native
import bridge_asyncio


def resident():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * resource.getpagesize()


async def numbers(count):
    for i in range(count):
        yield i


async def into(count):
    assert await native.consume(numbers(count), 256) == count * (count - 1) // 2


async def out_of(count):
    total = 0
    async for item in native.count(count):
        total += item
    assert total == count * (count - 1) // 2


def wakes():
    return sum(loop["wakes"] for loop in bridge_asyncio.stats()["loops"])


async def measure(stream, count):
    made = 0

    def count_tasks(loop, coroutine, **options):
        nonlocal made
        made += 1
        return asyncio.Task(coroutine, loop=loop, **options)

    await stream(10_000)
    gc.collect()
    asyncio.get_running_loop().set_task_factory(count_tasks)
    before, blocks, woken = resident(), sys.getallocatedblocks(), wakes()
    await stream(count)
    gc.collect()
    growth, left = resident() - before, sys.getallocatedblocks() - blocks
    return growth / 1024, left, made, (wakes() - woken) / count


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{count:,} items after 10,000: memory in KiB, blocks of Python's left, Tasks made, wakes an item")
    for host, new_loop in ("asyncio", asyncio.new_event_loop), ("same-thread", bridge_asyncio.new_event_loop):
        for name, stream in ("into C++", into), ("out of C++", out_of):
            loop = new_loop()
            growth, left, made, woken = loop.run_until_complete(measure(stream, count))
            loop.close()
            print(f"{host:12} {name:12} {growth:8.0f} {left:8} {made:8} {woken:8.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
