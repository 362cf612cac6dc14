# SPDX-License-Identifier: Apache-2.0
"""What a pending crossing takes in memory, each kind in a process of its own.

`memory.py 1000000` tries so many at once (about 1 GB)."""

import asyncio
import resource
import subprocess
import sys

import bench_crossings as native
import bridge_asyncio


async def wait(loop):
    await loop.create_future()


KINDS = {
    "asyncio: Future": (asyncio.new_event_loop, lambda loop: loop.create_future()),
    "asyncio: Task that awaits a Future": (asyncio.new_event_loop, lambda loop: loop.create_task(wait(loop))),
    "P6 asyncio loop: hot form": (asyncio.new_event_loop, lambda loop: native.hot_park()),
    "P6 asyncio loop: in a Task": (asyncio.new_event_loop, lambda loop: loop.create_task(native.park())),
    "P6 same-thread loop: hot form": (bridge_asyncio.new_event_loop, lambda loop: native.hot_park()),
    "P6 same-thread loop: in a Task": (bridge_asyncio.new_event_loop, lambda loop: loop.create_task(native.park())),
}


def resident():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * resource.getpagesize()


async def take(count, make):
    loop = asyncio.get_running_loop()
    await asyncio.gather(*[native.hot_hop() for _ in range(10)])  # threads and imports are there
    pending = [None] * count
    before = resident()
    for i in range(count):
        pending[i] = make(loop)
    await asyncio.sleep(0)
    each = (resident() - before) / count
    parked = native.parked()
    native.release()
    if parked == 0:
        for one in pending:
            one.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return each, native.operation_size() if parked else 0


def show(kind, count):
    new_loop, make = KINDS[kind]
    each, operation = new_loop().run_until_complete(take(count, make))
    print(f"{kind:36} {each:7.0f} {each - operation:7.0f}", flush=True)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        return show(sys.argv[2], count)
    print(f"bytes each of {count:,} pending at once: all, and without the operation itself", flush=True)
    for kind in KINDS:
        subprocess.run([sys.executable, __file__, str(count), kind], check=True)


if __name__ == "__main__":
    sys.exit(main())
